using System.Diagnostics;
using Xunit;

namespace Platform.Tests.Server.Hosting;

/// <summary>Every program of the product ends alike when a setting is wrong.</summary>
public sealed class WrongSettingTests
{
    private const string Nobody = "mongodb://127.0.0.1:1/platform";

    [Theory]
    [InlineData("Api", "api", "ConnectionStrings__platform", "", "There is no MongoDB connection string")]
    [InlineData("Api", "api", "ConnectionStrings__platform", "redis://x", "ConnectionStrings:platform is not a MongoDB connection string")]
    [InlineData("Api", "api", "ConnectionStrings__platform", "mongodb://u:sec@ret@127.0.0.1:1,:x/platform", "://***@127.0.0.1:1,:x/platform")]
    [InlineData("Api", "api", "Mongo__MaxPoolSize", "0", "Mongo:MaxPoolSize is 0")]
    [InlineData("Api", "api", "Mongo__MaxPoolSize", "many", "'Mongo:MaxPoolSize'")]
    [InlineData("Api", "api", "Paging__CursorKey", "too short", "Paging:CursorKey must be a secret of at least 32 characters")]
    [InlineData("Migrator", "migrator", "Migrator__LeaseDuration", "1000.00:00:00", "Migrator:LeaseDuration is 1000.00:00:00, but must be from 00:00:01 to "
        + "01:00:00.")]
    [InlineData("Migrator", "migrator", "Mongo__MaxPoolSize", "many", "'Mongo:MaxPoolSize'")]
    [InlineData("Seeder", "seeder", "Seeder__Writers", "many", "'Seeder:Writers'")]
    public async Task A_wrong_setting_is_told_in_one_sentence_and_ends_with_78(string project, string name, string key, string value, string sentence)
    {
        var start = new ProcessStartInfo(BuiltProgram.Path(project))
        {
            Environment =
            {
                ["ConnectionStrings__platform"] = Nobody,
                ["ConnectionStrings__cache"] = "127.0.0.1:1",
                [SettingNames.PagingCursorKey] = "the key of the tests, which is long enough",
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_ENVIRONMENT"] = null,
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = null,
                [key] = value,
            },
        };

        var result = (await ProgramResult.OfAsync(start, TestContext.Current.CancellationToken)).Expect(ExitCodes.Configuration);

        var line = Assert.Single(result.Errors.TrimEnd().Split('\n'));
        Assert.StartsWith($"{name}: ", line, StringComparison.Ordinal);
        Assert.Contains(sentence, line, StringComparison.Ordinal);
        Assert.DoesNotContain("ret@", line, StringComparison.Ordinal);
    }
}
