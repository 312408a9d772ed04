using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Api.Paging;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class PageCursorsTests
{
    private static readonly PageCursors Cursors = Of("the key of the tests, which is long enough");

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
            Assert.Equal(position, Cursors.Decode("list", Cursors.Encode("list", position)));
        }
    }

    [Fact]
    public void A_cursor_needs_no_escaping_in_a_query() =>
        Assert.Matches("^[A-Za-z0-9_-]+$", Cursors.Encode("list", Positions[0]));

    [Fact]
    public void A_cursor_of_another_list_is_refused() =>
        Assert.Null(Cursors.Decode("products of globex", Cursors.Encode("products of acme", Positions[0])));

    [Fact]
    public void A_cursor_with_any_changed_character_is_refused()
    {
        var cursor = Cursors.Encode("list", Positions[0]);
        for (var index = 0; index < cursor.Length; index++)
        {
            var changed = cursor.ToCharArray();
            changed[index] = changed[index] == 'A' ? 'B' : 'A';
            Assert.Null(Cursors.Decode("list", new string(changed)));
        }
    }

    [Fact]
    public void A_cursor_that_was_cut_is_refused()
    {
        var cursor = Cursors.Encode("list", Positions[0]);
        for (var length = 0; length < cursor.Length; length++)
        {
            Assert.Null(Cursors.Decode("list", cursor[..length]));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("%%%%")]
    [InlineData("ä")]
    [InlineData("AQAAAAAAAAAAAAAA")]
    public void A_text_that_is_no_cursor_is_refused(string text) => Assert.Null(Cursors.Decode("list", text));

    [Fact]
    public void A_cursor_with_something_appended_is_refused()
    {
        var cursor = Cursors.Encode("list", Positions[0]);

        Assert.Null(Cursors.Decode("list", cursor + "AAAA"));
        Assert.Null(Cursors.Decode("list", cursor + "="));
        Assert.Null(Cursors.Decode("list", cursor + new string('A', 2000)));
    }

    [Fact]
    public void Positions_of_every_kind_and_extreme_are_read_back_byte_for_byte()
    {
        var random = new Random(5);
        for (var i = 0; i < 2_000; i++)
        {
            BsonValue key = random.Next(3) switch
            {
                0 => new BsonDateTime(random.NextInt64(long.MinValue, long.MaxValue)),
                1 => new BsonDecimal128(Decimal128.FromIEEEBits((ulong)random.NextInt64(), (ulong)random.NextInt64(long.MinValue, long.MaxValue))),
                _ => new BsonDouble(BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue))),
            };
            var position = new BsonDocument { { "k", key }, { "i", ObjectId.GenerateNewId() } };

            Assert.Equal(position.ToBson(), Cursors.Decode("list", Cursors.Encode("list", position))!.ToBson());
        }
    }

    [Fact]
    public void What_was_not_made_here_is_refused_and_never_fails()
    {
        var random = new Random(20260101);
        var valid = Positions.Select(position => Cursors.Encode("list", position)).ToArray();
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = Base64Url.DecodeFromChars(valid[random.Next(valid.Length)]);
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes = random.Next(5) switch
                {
                    0 => [.. bytes[..random.Next(bytes.Length + 1)]],
                    1 => [.. bytes, (byte)random.Next(256)],
                    2 => [.. bytes[..Math.Min(17, bytes.Length)], .. Bytes(random, random.Next(40))],
                    3 when bytes.Length > 0 => Changed(bytes, random),
                    _ => Bytes(random, random.Next(60)),
                };
            }

            var text = Base64Url.EncodeToString(bytes);
            Assert.True(valid.Contains(text) || Cursors.Decode("list", text) is null, text);
        }
    }

    // The digest of before had no key: whoever knew the form could put anything behind it.
    [Theory]
    [InlineData("16000000026b0002000000ff0007690000000000000000")]
    [InlineData("10000000026b00ffffff7f0000000000")]
    [InlineData("10000000056b00ffffff7f0000000000")]
    [InlineData("13000000106b0001000000106b000200000000")]
    public void A_forged_digest_of_the_old_form_is_refused(string payload)
    {
        var bytes = Convert.FromHexString(payload);
        var name = Encoding.UTF8.GetBytes("list");
        var digest = SHA256.HashData([.. BitConverter.GetBytes(name.Length), .. name, .. bytes]);
        foreach (byte version in new byte[] { 1, 2 })
        {
            Assert.Null(Cursors.Decode("list", Base64Url.EncodeToString([version, .. digest[..8], .. bytes])));
            Assert.Null(Cursors.Decode("list", Base64Url.EncodeToString([version, .. digest[..16], .. bytes])));
        }
    }

    [Fact]
    public void Processes_with_the_same_key_take_each_others_cursors_and_no_others()
    {
        var cursor = Cursors.Encode("list", Positions[0]);

        Assert.NotNull(Of("the key of the tests, which is long enough").Decode("list", cursor));
        Assert.Null(Of("another key of the tests, also long enough").Decode("list", cursor));
    }

    private static PageCursors Of(string key) => new(Options.Create(new PagingOptions { CursorKey = key }));

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Changed(byte[] bytes, Random random)
    {
        bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
        return bytes;
    }
}
