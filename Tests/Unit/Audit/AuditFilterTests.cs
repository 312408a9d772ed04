using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Audit;
using Platform.AuditTool;
using Xunit;

namespace Platform.Tests.Unit.Audit;

/// <summary>What <c>audit find</c> and <c>audit tail</c> show.</summary>
public sealed class AuditFilterTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("90s", "2026-11-30T11:58:30Z")]
    [InlineData("30m", "2026-11-30T11:30:00Z")]
    [InlineData("1.5h", "2026-11-30T10:30:00Z")]
    [InlineData("7d", "2026-11-23T12:00:00Z")]
    [InlineData("2026-11-29", "2026-11-29T00:00:00Z")]
    [InlineData("2026-11-29T21:15:00+01:00", "2026-11-29T20:15:00Z")]
    [InlineData("h", null)]
    [InlineData("-1h", null)]
    [InlineData("99999999d", null)]
    [InlineData("yesterday", null)]
    [InlineData("12", null)]
    public void A_moment_is_a_time_a_day_or_how_long_ago(string text, string? expected) =>
        Assert.Equal(
            expected is null ? null : DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), AuditFilter.Moment(text, s_now));

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("10.1.2.4", false)]
    [InlineData("::1", false)]
    public void An_address_is_one_or_a_range(string text, bool asked) =>
        Assert.Equal(asked, new AuditFilter { Remote = AuditFilter.Network(text) }.Asks(Record()));

    [Fact]
    public void Each_condition_leaves_out_what_it_does_not_ask_for()
    {
        var record = Record();
        Assert.True(new AuditFilter().Asks(record));
        Assert.True(new AuditFilter { User = "platform", Types = ["CREATEUSER"], Failed = true }.Asks(record));
        Assert.True(new AuditFilter { Since = record.At, Until = record.At.AddTicks(1) }.Asks(record));
        Assert.True(new AuditFilter { User = "ann" }.Asks(record));
        Assert.False(new AuditFilter { User = "an" }.Asks(record));
        Assert.False(new AuditFilter { Types = ["dropUser"] }.Asks(record));
        Assert.False(new AuditFilter { Since = record.At.AddTicks(1) }.Asks(record));
        Assert.False(new AuditFilter { Until = record.At }.Asks(record));
        Assert.False(new AuditFilter { Failed = true }.Asks(Record(result: 0)));
        Assert.Null(AuditFilter.Network("somewhere"));
    }

    [Fact]
    public void A_line_of_the_terminal_tells_everything_and_moves_no_cursor()
    {
        using var output = new StringWriter();
        new AuditText(output, colours: false).Print(new AuditEntry("mongo-1", "audit-000000000001.jsonl", 1, Record(user: "ann\u001b[2J\u202e")));
        Assert.Equal(
            "2026-11-30 11:00:00.000 mongo-1   createUser           platform@admin             10.1.2.3:50000        error 11000  "
                + "user=ann\\u001B[2J\\u202E roles=[root@admin]\n",
            output.ToString().ReplaceLineEndings("\n"));
    }

    private static AuditRecord Record(string user = "ann", int result = 11000)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        AuditLine.Append(
            bytes,
            new AuditEvent("createUser", s_now.AddHours(-1))
            {
                Remote = IPEndPoint.Parse("10.1.2.3:50000"), Local = IPEndPoint.Parse("127.0.0.1:1"), Users = [("platform", "admin")], Result = result,
                Param = new() { ["user"] = user, ["roles"] = new JsonArray(new JsonObject { ["role"] = "root", ["db"] = "admin" }) },
            },
            1,
            AuditLine.Origin,
            new byte[32]);
        return AuditRecord.TryParse(bytes.WrittenSpan[..^1]) ?? throw new InvalidOperationException(Encoding.ASCII.GetString(bytes.WrittenSpan));
    }
}
