using System.CommandLine;
using Platform.Jobs;
using Xunit;

namespace Platform.Tests.Unit.Jobs;

public sealed class JobCommandLineTests
{
    [Theory]
    [InlineData("pours", "There is no command 'pours'; the commands of 'tea' are pour and brew. Did you mean 'pour'?")]
    [InlineData("coffee", "There is no command 'coffee'; the commands of 'tea' are pour and brew. See 'tea --help'.")]
    [InlineData("coffee --hlep", "There is no command 'coffee'; the commands of 'tea' are pour and brew. See 'tea --help'.")]
    [InlineData("", "'tea' needs a command: pour and brew. See 'tea --help'.")]
    [InlineData("pour", "'tea pour' needs a cup: tea pour CUP. See 'tea pour --help'.")]
    [InlineData("pour mug now", "'tea pour' does not know what to do with 'now'. See 'tea pour --help'.")]
    [InlineData("pour mug --mlik", "'tea pour' has no option '--mlik'. Did you mean '--milk'?")]
    [InlineData("pour mug --milk", "--milk needs a value: --milk DROPS. See 'tea pour --help'.")]
    [InlineData("pour mug --milk much", "--milk must be a whole number between 0 and 9, not 'much'. See 'tea pour --help'.")]
    [InlineData("pour mug --milk 10", "--milk must be a whole number between 0 and 9, not '10'. See 'tea pour --help'.")]
    public void A_mistake_is_said_in_one_sentence(string line, string sentence) => Assert.Equal(sentence, JobCommandLine.Mistake(Tea().Parse(line)));

    [Theory]
    [InlineData("pour mug --milk 9")]
    [InlineData("pour mug")]
    [InlineData("--help")]
    [InlineData("brew --help")]
    public void A_right_command_line_has_none(string line) => Assert.Null(JobCommandLine.Mistake(Tea().Parse(line)));

    [Fact]
    public async Task The_exit_code_is_64_for_a_mistake_and_else_the_commands_own()
    {
        Assert.Equal(64, await JobCommandLine.RunAsync(Tea(), ["pours"]));
        Assert.Equal(7, await JobCommandLine.RunAsync(Tea(), ["pour", "mug"]));
    }

    private static Command Tea()
    {
        var pour = new Command("pour", "Pours.") { new Argument<string>("cup"), JobCommandLine.WholeNumber("--milk", "DROPS", "With milk.", 0, 0, 9) };
        pour.SetAction(_ => 7);
        var brew = new Command("brew", "Brews.");
        brew.SetAction(_ => 0);
        var tea = JobCommandLine.Create("tea", "Makes tea.");
        tea.Subcommands.Add(pour);
        tea.Subcommands.Add(brew);
        return tea;
    }
}
