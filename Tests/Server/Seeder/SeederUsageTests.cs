using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>The seeder as a person starts it wrongly. Needs no server, so that it does not queue with those that do.</summary>
public sealed class SeederUsageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_is_not_there_ends_with_69_and_a_sentence()
    {
        foreach (var command in new[] { "run", "clean", "status", "verify" })
        {
            var result = (await JobProgram.Seeder.RunAsync(
                $"mongodb://127.0.0.1:{FreePort.Find()}/x", command, Cancel, ("Seeder__DatabaseTimeout", "00:00:01"))).Expect(ExitCodes.Unavailable);
            Assert.Equal("", result.Output);
            Assert.Single(result.Errors.TrimEnd().Split('\n'), line => line.StartsWith("seeder: MongoDB at 127.0.0.1:", StringComparison.Ordinal)
                && line.Contains("did not answer within 1 s", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("Seeder__Writers", "0", "Seeder:Writers is 0, but must be from 1 to 64.")]
    [InlineData("Seeder__DatabaseTimeout", "1000.00:00:00", "Seeder:DatabaseTimeout is 1000.00:00:00, but must be from 00:00:00 to 1.00:00:00.")]
    [InlineData("ConnectionStrings__platform", "", "There is no MongoDB connection string")]
    [InlineData("ConnectionStrings__platform", "redis://x", "ConnectionStrings:platform is not a MongoDB connection string")]
    public async Task A_wrong_setting_ends_with_78_and_a_sentence(string key, string value, string sentence)
    {
        var result = (await JobProgram.Seeder.RunAsync("mongodb://127.0.0.1:1/x", "status", Cancel, (key, value))).Expect(ExitCodes.Configuration);
        Assert.Contains(sentence, result.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("frob", "'frob'")]
    [InlineData("run --scale 0", "--scale must be a whole number between 1 and 100000, not '0'.")]
    [InlineData("run --scale x", "--scale must be a whole number between 1 and 100000, not 'x'.")]
    [InlineData("run --scale", "--scale")]
    [InlineData("run --tenants 10001", "--tenants must be a whole number between 1 and 10000, not '10001'.")]
    [InlineData("run --scale 100000 --tenants 11", "--scale times --tenants must be at most 1000000.")]
    [InlineData("run --seed 1.5", "--seed must be a whole number between -2147483648 and 2147483647, not '1.5'.")]
    [InlineData("run --until 2026-02-30", "--until must be a day such as 2026-01-01, not '2026-02-30'.")]
    [InlineData("run --until 9999-01-02", "--until must be a day from 1970-01-01 to 9999-01-01, not '9999-01-02'.")]
    [InlineData("run --until 1969-12-31", "--until must be a day from 1970-01-01 to 9999-01-01, not '1969-12-31'.")]
    [InlineData("run --only users,shops", "--only does not know 'shops'; there are tenants, users, stores,")]
    [InlineData("--only shops", "--only does not know 'shops'")]
    [InlineData("clean --tenant", "--tenant")]
    [InlineData("clean --force", "'--force'")]
    [InlineData("status --yaml", "'--yaml'")]
    [InlineData("mark", "mark")]
    [InlineData("mark x --as Production!", "--as must be a word")]
    public async Task Wrong_arguments_end_with_64_and_a_sentence(string arguments, string sentence)
    {
        var result = (await JobProgram.Seeder.RunAsync("mongodb://127.0.0.1:1/x", arguments, Cancel)).Expect(ExitCodes.Usage);
        Assert.Equal("", result.Output);
        Assert.StartsWith("seeder: ", result.Sentence, StringComparison.Ordinal);
        Assert.Contains(sentence, result.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help", "run", "clean", "status", "verify", "mark", "Exit codes")]
    [InlineData("run --help", "--scale", "--tenants", "--seed", "--until", "--only", "--again", "--keep-indexes")]
    [InlineData("clean --help", "--tenant", "--keep-referenced")]
    [InlineData("status --help", "--json")]
    [InlineData("verify --help", "--json")]
    [InlineData("mark --help", "database", "--as")]
    public async Task Help_is_complete(string arguments, params string[] words)
    {
        var result = (await JobProgram.Seeder.RunAsync(null, arguments, Cancel, ("DOTNET_ENVIRONMENT", null))).Expect(ExitCodes.Success);
        Assert.Equal("", result.Errors);
        Assert.All(words, word => Assert.Contains(word, result.Output, StringComparison.Ordinal));
    }
}
