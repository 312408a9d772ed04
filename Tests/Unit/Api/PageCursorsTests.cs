using MongoDB.Bson;
using Platform.Api.Paging;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class PageCursorTests
{
    private static readonly BsonDocument[] Positions =
    [
        new() { { "k", new BsonDateTime(1_700_000_000_123) }, { "i", ObjectId.GenerateNewId() } },
        new() { { "k", new BsonDecimal128(12.50m) }, { "i", ObjectId.GenerateNewId() } },
        new() { { "k", 0.1 + 0.2 }, { "i", ObjectId.GenerateNewId() } },
    ];

    [Fact]
    public void A_cursor_is_read_back_as_it_was_made()
    {
        foreach (var position in Positions)
        {
            Assert.Equal(position, PageCursor.Decode("list", PageCursor.Encode("list", position)));
        }
    }

    [Fact]
    public void A_cursor_needs_no_escaping_in_a_query() =>
        Assert.Matches("^[A-Za-z0-9_-]+$", PageCursor.Encode("list", Positions[0]));

    [Fact]
    public void A_cursor_of_another_list_is_refused() =>
        Assert.Null(PageCursor.Decode("products of globex", PageCursor.Encode("products of acme", Positions[0])));

    [Fact]
    public void A_cursor_with_any_changed_character_is_refused()
    {
        var cursor = PageCursor.Encode("list", Positions[0]);
        for (var index = 0; index < cursor.Length; index++)
        {
            var changed = cursor.ToCharArray();
            changed[index] = changed[index] == 'A' ? 'B' : 'A';
            Assert.Null(PageCursor.Decode("list", new string(changed)));
        }
    }

    [Fact]
    public void A_cursor_that_was_cut_is_refused()
    {
        var cursor = PageCursor.Encode("list", Positions[0]);
        for (var length = 0; length < cursor.Length; length++)
        {
            Assert.Null(PageCursor.Decode("list", cursor[..length]));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("%%%%")]
    [InlineData("ä")]
    [InlineData("AQAAAAAAAAAAAAAA")]
    public void A_text_that_is_no_cursor_is_refused(string text) => Assert.Null(PageCursor.Decode("list", text));

    [Fact]
    public void A_cursor_with_something_appended_is_refused()
    {
        var cursor = PageCursor.Encode("list", Positions[0]);

        Assert.Null(PageCursor.Decode("list", cursor + "AAAA"));
        Assert.Null(PageCursor.Decode("list", cursor + "="));
        Assert.Null(PageCursor.Decode("list", cursor + new string('A', 2000)));
    }
}
