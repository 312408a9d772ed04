using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting.Testing;
using Platform.AppHost.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The security checks on the running stack.</summary>
[Collection(TestCollections.Cache)]
public sealed class SecurityTests(StackFixture stack)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_stack_is_as_secure_as_its_checks_ask_for()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The servers of the image run on Linux only.");
        var directory = Directory.CreateTempSubdirectory("security-");
        try
        {
            // The stack of a test has no stack file; its AppHost is this process.
            var redis = await stack.App.CacheOptionsAsync(Token);
            var certificate = Path.Combine(stack.DataDirectory, "tls", "ca.pem");
            var file = Path.Combine(directory.FullName, "stack");
            OwnerOnly.Write(file, string.Join('\n',
            [
                $"pid={Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}", "state=ready", "engine=documentdb (chosen by the test)",
                $"data={stack.DataDirectory}", $"address.mongo={await stack.App.GetConnectionStringAsync(ResourceNames.Database, Token)}",
                $"address.redis={RedisUri.Of(redis.ToString(includePassword: true))}", $"address.ca={certificate}",
                $"address.api={stack.App.GetEndpoint(ResourceNames.Api, "http")}", "",
            ]));
            var result = await ProgramResult.OfAsync(
                new ProcessStartInfo(BuiltProgram.Path("SecurityTool"), ["check"])
                {
                    Environment =
                    {
                        ["Security__StackFile"] = file, ["Security__Mark"] = $"{TestStack.Mark}={stack.DataDirectory}",
                        ["Audit__Directory"] = Path.Combine(stack.DataDirectory, "audit"),
                        ["Audit__KeyDirectory"] = Path.Combine(stack.DataDirectory, "audit-keys"),
                    },
                },
                Token);
            result.Expect(ExitCodes.Success);
            Assert.EndsWith(" 0 failed, 0 not known, 3 do not apply.", result.Output.TrimEnd(), StringComparison.Ordinal);
            // Of three members with a gateway and a PostgreSQL each, Redis, the API and its proxies.
            var ports = result.Output.Split('\n', StringSplitOptions.TrimEntries).Single(line => line.EndsWith(" ports", StringComparison.Ordinal));
            Assert.True(int.Parse(ports.Split(' ')[0], CultureInfo.InvariantCulture) >= 8, ports);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
