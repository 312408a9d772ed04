using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

public sealed class ResourceLogTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_log_keeps_the_last_ten_thousand_lines_in_order()
    {
        using var logs = new ResourceLoggerService();
        for (var i = 1; i <= 10_500; i++)
        {
            logs.Append("api", i.ToString(CultureInfo.InvariantCulture), isError: false);
        }

        var lines = new List<LogLine>();
        await foreach (var batch in logs.GetAllAsync("api").WithCancellation(Token))
        {
            lines.AddRange(batch);
        }

        Assert.Equal(Enumerable.Range(501, 10_000), lines.Select(l => l.LineNumber));
        Assert.EndsWith(" 501", lines[0].Content, StringComparison.Ordinal);
        Assert.EndsWith(" 10500", lines[^1].Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watcher_gets_the_past_then_the_present_and_ends_with_the_resource()
    {
        using var logs = new ResourceLoggerService();
        logs.Append("api", "first", isError: false);
        await using var watch = logs.WatchAsync("API").GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        Assert.EndsWith("Z first", Assert.Single(watch.Current).Content, StringComparison.Ordinal);

        var next = watch.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        logs.GetLogger("api").LogError("second\nthird");
        Assert.True(await next);
        Assert.Equal(["second", "third"], watch.Current.Select(l => l.Content.Split(' ', 2)[1]));
        Assert.All(watch.Current, l => Assert.True(l.IsErrorMessage));

        next = watch.MoveNextAsync().AsTask();
        logs.Complete("api");
        Assert.False(await next);
    }

    [Theory]
    [InlineData("2026-01-31T10:11:12.123456789Z hello", "2026-01-31T10:11:12.1234567Z", "hello")]
    [InlineData("2026-01-31T10:11:12Z hello  there", "2026-01-31T10:11:12.0000000Z", "hello  there")]
    [InlineData("2026-01-31T11:11:12.5+01:00 ", "2026-01-31T10:11:12.5000000Z", "")]
    [InlineData("2026-01-31 hello", null, "2026-01-31 hello")]
    [InlineData("", null, "")]
    public void A_timestamp_is_taken_off_a_line(string line, string? time, string text)
    {
        Assert.Equal(time is not null, LogTimestamp.TrySplit(line, out var read, out var rest));
        Assert.Equal(text, rest);
        if (time is not null)
        {
            Assert.Equal($"{time} x", LogTimestamp.Stamp(read, "x"));
        }
    }
}
