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
    [InlineData("Api", "api", "Mongo__MaxPoolSize", "many", "Mongo:MaxPoolSize is many, but must be from 1 to 10000.")]
    [InlineData("Api", "api", "Paging__CursorKey", "too short", "Paging:CursorKey must be a secret of at least 32 characters")]
    [InlineData("Migrator", "migrator", "Migrator__LeaseDuration", "1000.00:00:00", "Migrator:LeaseDuration is 1000.00:00:00, but must be from 00:00:01 to "
        + "01:00:00.")]
    [InlineData("Migrator", "migrator", "Mongo__MaxPoolSize", "many", "Mongo:MaxPoolSize is many, but must be from 1 to 10000.")]
    [InlineData("Migrator", "migrator", "Mongo__MaxPolSize", "10", "Mongo:MaxPolSize is no setting; did you mean Mongo:MaxPoolSize?")]
    [InlineData("Migrator", "migrator", "Validation__Colections__orders__Level", "off", "Validation:Colections is no setting; did you mean "
        + "Validation:Collections?")]
    [InlineData("Migrator", "migrator", "Validaton__Level", "off", "Validaton is no setting; did you mean Validation?")]
    [InlineData("Api", "api", "Cache__Patients", "00:01:00", "Cache:Patients is no setting; did you mean Cache:Patience?")]
    [InlineData("Api", "api", "RateLimits__Client__PerSecnd", "1", "RateLimits:Client:PerSecnd is no setting; did you mean RateLimits:Client:PerSecond?")]
    [InlineData("Api", "api", "DOTNET_ENVIRONMENT", "Production", "Api:Authentication is not set, without which the API starts in Development alone")]
    [InlineData("Api", "api", "Api__Authentication__Mode", "Nobody", "Api:Authentication:Mode is Nobody, but must be one of Token, Gateway, Open.")]
    [InlineData("Api", "api", "Api__Authentification__Mode", "Gateway", "Api:Authentification is no setting; did you mean Api:Authentication?")]
    [InlineData("Seeder", "seeder", "Seeder__Writers", "many", "Seeder:Writers is many, but must be from 1 to 64.")]
    [InlineData("Seeder", "seeder", "Seeder__Until", "soon", "Seeder:Until must be a day such as 2026-01-01.")]
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
