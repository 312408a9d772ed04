using System.Diagnostics;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>The gateway's program ends as those of the product do when a setting is wrong.</summary>
public sealed class WrongSettingTests
{
    [Theory]
    [InlineData("Gateway__Port", "70000", "Gateway:Port")]
    [InlineData("ConnectionStrings__postgres", "", "ConnectionStrings:postgres is missing.")]
    public async Task A_wrong_setting_is_told_in_one_sentence_and_ends_with_78(string key, string value, string sentence)
    {
        var start = new ProcessStartInfo(BuiltProgram.Path("Gateway"))
        {
            Environment =
            {
                ["ConnectionStrings__postgres"] = "Host=127.0.0.1;Port=1",
                ["DOTNET_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_ENVIRONMENT"] = null,
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = null,
                [key] = value,
            },
        };

        var result = (await ProgramResult.OfAsync(start, TestContext.Current.CancellationToken)).Expect(ExitCodes.Configuration);

        var line = Assert.Single(result.Errors.TrimEnd().Split('\n'));
        Assert.StartsWith("gateway: ", line, StringComparison.Ordinal);
        Assert.Contains(sentence, line, StringComparison.Ordinal);
    }
}
