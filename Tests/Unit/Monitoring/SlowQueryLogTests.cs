using MongoDB.Bson;
using Platform.Monitor.Queries;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

/// <summary>Slow operations by their shape.</summary>
public sealed class SlowQueryLogTests
{
    [Fact]
    public void Operations_that_differ_in_their_values_alone_are_one_shape()
    {
        var log = new SlowQueryLog();
        log.Add("a:1", "orders", Entry("{ find: 'orders', filter: { tenantId: 1, email: { $in: ['secret', 'x'] } } }", 120, "COLLSCAN", 900, 2, second: 1));
        log.Add(
            "b:2", "orders", Entry("{ find: 'orders', filter: { tenantId: 2, email: { $in: ['y', 'z', 'w'] } } }", 80, "IXSCAN { email: 1 }", 100, 1, 2));
        log.Add("a:1", "orders", Entry("{ find: 'orders', filter: { tenantId: 2 } }", 500, "IXSCAN { tenantId: 1 }", 1, 1, second: 3));

        var top = log.Top(10);
        Assert.Equal(2, top.Count);
        var both = top[1];
        Assert.Equal((2, 200, 120, 1000, 3), (both.Count, both.TotalMilliseconds, both.MaxMilliseconds, both.Documents, both.Returned));
        Assert.Equal(("IXSCAN { email: 1 }", "{ find: orders, filter: { tenantId: ?, email: { $in: [? × n] } } }"), (both.Plan, both.Shape));
        Assert.Equal((1, 2), (both.First.Second, both.Last.Second));
        Assert.Equal(both, log.Find(both.Id));
        Assert.Null(log.Find("00000000"));
        Assert.Equal([3, 2, 1], log.Latest(10).Select(operation => operation.At.Second));
        Assert.DoesNotContain(log.Top(10), shape => shape.ToString().Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_kept_is_bounded_and_the_shape_that_was_not_seen_for_longest_goes_first()
    {
        var log = new SlowQueryLog();
        var kept = log.Add("a:1", "c", Entry("{ find: 'c', filter: { kept: 1 } }", 1, "", 1, 1, second: 0)).Shape.Id;
        for (var i = 1; i <= SlowQueryLog.MaxShapes * 3; i++)
        {
            log.Add("a:1", "c", Entry($"{{ find: 'c', filter: {{ f{i}: 1 }} }}", 1, "", 1, 1, second: i));
            log.Add("a:1", "c", Entry("{ find: 'c', filter: { kept: 1 } }", 1, "", 1, 1, second: i));
        }

        Assert.Equal(SlowQueryLog.MaxShapes, log.Top(int.MaxValue).Count);
        Assert.Equal((SlowQueryLog.MaxShapes * 3) + 1, log.Find(kept)!.Count);
        Assert.Equal(SlowQueryLog.MaxOperations, log.Latest(int.MaxValue).Count);
    }

    [Theory]
    [InlineData("COLLSCAN", 1000, 1, "no index serves it")]
    [InlineData("IXSCAN { a: 1 }", 5000, 2, "for each document that it returns")]
    [InlineData("SORT, IXSCAN { a: 1 }", 10, 10, "sorts in memory")]
    [InlineData("IXSCAN { a: 1 }", 10, 10, "reads little")]
    [InlineData("", 0, 0, "reads little")]
    public void Counts_say_what_is_wrong(string plan, int documents, int returned, string finding)
    {
        var shape = new SlowQueryLog().Add("a:1", "c", Entry("{ find: 'c' }", 300, plan, documents, returned, second: 1)).Shape;
        Assert.Contains(shape.Findings, text => text.Contains(finding, StringComparison.Ordinal));
    }

    [Fact]
    public void An_entry_without_anything_and_one_that_forges_lines_are_taken()
    {
        var log = new SlowQueryLog();
        log.Add("a:1", "c", []);
        log.Add("a:1", "c", BsonDocument.Parse("{ op: 'query', command: 7, millis: 'x', planSummary: 'A\\nB', appName: '\\u001b[31m' }"));
        Assert.All(log.Latest(10), operation => Assert.DoesNotContain(operation.ToString(), character => char.IsControl(character)));
    }

    private static BsonDocument Entry(string command, int milliseconds, string plan, int documents, int returned, int second) => new()
    {
        { "op", "query" }, { "command", BsonDocument.Parse(command) }, { "millis", milliseconds }, { "planSummary", plan }, { "docsExamined", documents },
        { "keysExamined", 0 }, { "nreturned", returned }, { "appName", "api" },
        { "ts", new DateTime(2026, 11, 30, 8, 0, 0, DateTimeKind.Utc).AddSeconds(second) },
    };
}
