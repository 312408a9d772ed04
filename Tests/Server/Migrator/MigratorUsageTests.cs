using Xunit;

namespace Platform.Tests.Server.Migrator;

/// <summary>The migrator as a person starts it wrongly. Needs no server, so that it does not queue with those that do.</summary>
public sealed class MigratorUsageTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sideways")]
    [InlineData("up --to")]
    [InlineData("up --to two")]
    [InlineData("up --to 0")]
    [InlineData("down --steps 0")]
    [InlineData("down --steps 1 --to 1")]
    [InlineData("down --to -1")]
    [InlineData("up --wait --dry-run")]
    [InlineData("status --exit-codes")]
    [InlineData("resolve 1")]
    [InlineData("resolve one --applied")]
    [InlineData("resolve 1 --applied --pending")]
    [InlineData("resolve")]
    [InlineData("baseline")]
    [InlineData("new")]
    [InlineData("new Wrong-Name")]
    [InlineData("status --verbose")]
    public async Task A_wrong_command_line_is_told_in_one_sentence(string arguments)
    {
        var answer = (await JobProgram.Migrator.RunAsync(connectionString: null, arguments, Token)).Expect(ExitCodes.Usage);
        Assert.Equal("", answer.Output);
        Assert.Single(answer.Errors.TrimEnd().Split('\n'));
        Assert.StartsWith("migrator: ", answer.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_connection_string_is_told_in_one_sentence()
    {
        var answer = (await JobProgram.Migrator.RunAsync(connectionString: null, "status", Token)).Expect(ExitCodes.Configuration);
        Assert.Equal("migrator: There is no MongoDB connection string: set ConnectionStrings:platform.", answer.Errors.TrimEnd());
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_waited_for_aloud_and_told_in_one_sentence()
    {
        var nobody = $"mongodb://127.0.0.1:{FreePort.Find()}/platform";
        var answer =
            (await JobProgram.Migrator.RunAsync(nobody, "status --json", Token, ("Migrator__DatabaseTimeout", "00:00:03"))).Expect(ExitCodes.Unavailable);
        Assert.Equal(ExitCodes.Unavailable, answer.Json.GetProperty("exitCode").GetInt32());
        var lines = answer.Errors.TrimEnd().Split('\n');
        Assert.StartsWith("migrator: MongoDB at 127.0.0.1:", lines[^1], StringComparison.Ordinal);
        Assert.NotEmpty(lines[..^1]);
        Assert.All(lines[..^1], line => Assert.Contains("Waiting for MongoDB at 127.0.0.1:", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_help_says_what_exit_codes_mean()
    {
        var help = (await JobProgram.Migrator.RunAsync(connectionString: null, "--help", Token)).Expect(ExitCodes.Success).Output;
        int[] codes =
        [
            ExitCodes.Refused, ExitCodes.Usage, ExitCodes.Unavailable, ExitCodes.CannotCreate, ExitCodes.Busy, ExitCodes.Configuration, ExitCodes.Cancelled,
        ];
        Assert.All(codes, code => Assert.Contains($" {code} ", help, StringComparison.Ordinal));
        var status = (await JobProgram.Migrator.RunAsync(connectionString: null, "status --help", Token)).Expect(ExitCodes.Success).Output;
        var line = string.Join(' ', status.ReplaceLineEndings(" ").Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.All(new[] { "0 up to date", "75 a migrator" }, words => Assert.Contains(words, line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--help", "up down status verify resolve baseline new fingerprint")]
    [InlineData("up --help", "--to --allow-drop --wait --dry-run --json")]
    [InlineData("down --help", "--steps --to --allow-data-loss --dry-run --json")]
    [InlineData("status --help", "--exit-code --json")]
    public async Task The_help_is_complete(string arguments, string words)
    {
        var help = (await JobProgram.Migrator.RunAsync(connectionString: null, arguments, Token)).Expect(ExitCodes.Success).Output;
        Assert.All(words.Split(' '), word => Assert.Contains($"  {word}", help, StringComparison.Ordinal));
    }
}
