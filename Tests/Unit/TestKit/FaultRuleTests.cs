using Xunit;

namespace Platform.Tests.Unit.TestKit;

public sealed class FaultRuleTests
{
    [Fact]
    public void A_rule_is_read_from_text()
    {
        var rule = FaultRule.Parse("insert, commitTransaction: delay-reply 1.5..50ms 12.5% skip 2 times 7");

        Assert.Equal(FaultAction.DelayReply, rule.Action);
        Assert.Equal(["commitTransaction", "insert"], rule.Commands.Order(StringComparer.Ordinal));
        Assert.Equal((TimeSpan.FromMilliseconds(1.5), TimeSpan.FromMilliseconds(50)), (rule.MinDelay, rule.MaxDelay));
        Assert.Equal((0.125, 2, 7), (rule.Probability, rule.Skip, rule.Times));
        Assert.Empty(FaultRule.Parse("*: drop").Commands);
    }

    [Theory]
    [InlineData("insert cut-after", "the form \"commands: action\"")]
    [InlineData(": cut-after", "after the commands comes one of drop, drop-reply, cut-before")]
    [InlineData("insert: explode", "after the commands comes one of")]
    [InlineData("insert: 3", "after the commands comes one of")]
    [InlineData("insert: cut-after 200%", "\"200%\" is neither")]
    [InlineData("insert: delay-reply 9..3ms", "\"9..3ms\" is neither")]
    [InlineData("insert: cut-after times", "\"times\" is neither")]
    public void What_is_no_rule_is_refused_with_the_reason(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => FaultRule.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_name_of_every_action_reads_as_that_action() => Assert.All(
        Enum.GetValues<FaultAction>(),
        action => Assert.Equal(action, FaultRule.Parse($"insert: {FaultRule.NameOf(action)}").Action));
}
