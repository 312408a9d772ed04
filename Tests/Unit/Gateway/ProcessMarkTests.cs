using System.Diagnostics;
using Platform.Gateway.Replication;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>Which process is taken for a member's: what is taken for one that is to go is killed.</summary>
public sealed class ProcessMarkTests
{
    private const string Data = "/somewhere/data";

    [Fact]
    public void A_process_is_a_members_when_it_was_started_for_its_data()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        using var process = Start(Data);
        try
        {
            var mark = Assert.NotNull(ProcessMark.Of(process.Id));

            Assert.Equal(mark, ProcessMark.Parse(mark.ToString()));
            Assert.True(mark.IsOf(Data));
            Assert.False(mark.IsOf(Data + "-2"));
            Assert.False(mark.IsOf("/somewhere"));
            // The number was another one's before.
            Assert.False((mark with { Started = mark.Started - 1 }).IsOf(Data));
            Assert.False((mark with { Started = mark.Started - 1 }).IsAlive);
            (mark with { Started = mark.Started - 1 }).Kill();
            Assert.False(process.HasExited);

            mark.Kill();
            process.WaitForExit();
            Assert.False(mark.IsAlive);
            Assert.False(mark.IsOf(Data));
        }
        finally
        {
            process.Kill();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1 2 3")]
    [InlineData("one 2")]
    public void What_is_no_mark_is_nobody(string text) => Assert.Null(ProcessMark.Parse(text));

    private static Process Start(string data)
    {
        var start = new ProcessStartInfo("sleep", ["60"]);
        start.Environment["Gateway__DataDirectory"] = data;
        return Process.Start(start)!;
    }
}
