using Platform.Backup.Drills;
using Platform.Backup.Engines;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>What a drill finds in a copy, and what it leaves open: what was written to in the instant of its moment.</summary>
public sealed class DrillComparisonTests
{
    private static readonly DatabaseContents s_was = Contents(("orders", [("a", 3), ("b", 2), ("c", 1)]), ("products", [("p", 10)]));

    [Fact]
    public void A_copy_that_is_what_the_database_was_is_compared_whole()
    {
        var comparison = DrillComparison.Of(Marker(s_was, s_was), s_was);
        Assert.Empty(comparison.Findings);
        Assert.Equal((16L, 16L, 2, 2, 1), (comparison.Documents, comparison.Compared, comparison.Collections, comparison.Indexes, comparison.Accounts));
    }

    [Fact]
    public void What_was_written_to_in_the_instant_may_be_either_and_is_not_compared_when_it_is_neither()
    {
        var after = Contents(("orders", [("a", 3), ("B", 2), ("c", 1)]), ("products", [("p", 10)]));
        Assert.Equal(16, DrillComparison.Of(Marker(s_was, after), s_was).Compared);
        Assert.Equal(16, DrillComparison.Of(Marker(s_was, after), after).Compared);
        var between = DrillComparison.Of(Marker(s_was, after), Contents(("orders", [("a", 3), ("x", 2), ("c", 1)]), ("products", [("p", 10)])));
        Assert.Empty(between.Findings);
        Assert.Equal(14, between.Compared);
    }

    [Fact]
    public void A_collection_that_came_or_went_in_the_instant_is_no_finding()
    {
        var after = Contents(("orders", [("a", 3), ("b", 2), ("c", 1)]));
        Assert.Empty(DrillComparison.Of(Marker(s_was, after), after).Findings);
        Assert.Empty(DrillComparison.Of(Marker(after, s_was), after).Findings);
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "missing document", "orders: 1 documents are missing in the copy" },
        { "missing part", "orders: 1 documents are missing in the copy" },
        { "added document", "orders: 2 documents are in the copy, but were not there" },
        { "changed document", "orders: 1 documents or more are others in the copy" },
        { "missing collection", "orders: is missing in the copy" },
        { "added collection", "more: is in the copy, but was not there" },
        { "validator", "orders: has other options or another validator in the copy" },
        { "missing index", "orders, index i: is missing in the copy" },
        { "changed index", "orders, index i: is another one in the copy" },
        { "added index", "orders, index j: is in the copy, but was not there" },
        { "missing user", "user api: is missing in the copy" },
        { "added user", "user eve: is in the copy, but was not there" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Whatever_is_not_what_it_was_is_found_and_named(string fault, string expected)
    {
        var products = ("products", new[] { ("p", 10) });
        var orders = s_was.Collections["orders"];
        DatabaseContents With(CollectionContents changed) =>
            s_was with { Collections = new Dictionary<string, CollectionContents>(s_was.Collections) { ["orders"] = changed } };
        var copy = fault switch
        {
            "missing document" => Contents(("orders", [("a", 3), ("-b", 1), ("c", 1)]), products),
            "missing part" => Contents(("orders", [("a", 3), ("b", 2)]), products),
            "added document" => Contents(("orders", [("a", 3), ("+b", 4), ("c", 1)]), products),
            "changed document" => Contents(("orders", [("a", 3), ("B", 2), ("c", 1)]), products),
            "missing collection" => Contents(products),
            "added collection" => Contents(("orders", [("a", 3), ("b", 2), ("c", 1)]), products, ("more", [])),
            "validator" => With(orders with { Definition = "another" }),
            "missing index" => With(orders with { Indexes = new Dictionary<string, string>() }),
            "changed index" => With(orders with { Indexes = new Dictionary<string, string> { ["i"] = "another" } }),
            "added index" => With(orders with { Indexes = new Dictionary<string, string> { ["i"] = "1", ["j"] = "1" } }),
            "missing user" => s_was with { Accounts = new Dictionary<string, string>() },
            "added user" => s_was with { Accounts = new Dictionary<string, string> { ["user api"] = "1", ["user eve"] = "1" } },
            _ => throw new ArgumentException(fault, nameof(fault)),
        };
        var finding = Assert.Single(DrillComparison.Of(Marker(s_was, s_was), copy).Findings);
        Assert.Equal(expected, $"{finding.Subject}: {finding.Fault}");
    }

    [Fact]
    public void The_page_says_what_is_wrong_and_nothing_in_it_is_taken_for_html()
    {
        var at = new DateTimeOffset(2026, 11, 29, 4, 30, 0, TimeSpan.Zero);
        var good = new DrillRecord(at, at, 2.5, 7, 16_000, 15_990, ["Some <b>check</b>."], []);
        Assert.Contains("<strong>Good.</strong>", DrillPage.Of(good), StringComparison.Ordinal);
        Assert.Contains("Some &lt;b&gt;check&lt;/b&gt;.", DrillPage.Of(good), StringComparison.Ordinal);
        Assert.Contains("16,000", DrillPage.Of(good), StringComparison.Ordinal);
        Assert.Equal("2026-11-29T04:30:00Z, good: 15990 of 16000 documents compared, the copy answered after 2.5 s", good.Sentence());
        var bad = good with { RestoreSeconds = null, Findings = [new("orders", "is <gone>"), new("user api", "is missing in the copy")] };
        Assert.Contains("<td>is &lt;gone&gt;</td>", DrillPage.Of(bad), StringComparison.Ordinal);
        Assert.Contains("<strong>Failed.</strong>", DrillPage.Of(bad), StringComparison.Ordinal);
        Assert.Equal("2026-11-29T04:30:00Z, failed: orders is <gone>, and 1 more", bad.Sentence());
    }

    private static DatabaseMarker Marker(DatabaseContents before, DatabaseContents after) => new(before, DateTimeOffset.UnixEpoch, after);

    private static DatabaseContents Contents(params (string Name, (string Hash, int Documents)[] Parts)[] collections) => new(
        collections.ToDictionary(collection => collection.Name, collection => new CollectionContents(
            "options",
            new Dictionary<string, string> { ["i"] = "1" },
            collection.Parts.Index().ToDictionary(part => part.Index, part => new PartContents(part.Item.Documents, part.Item.Hash)))),
        new Dictionary<string, string> { ["user api"] = "1" });
}
