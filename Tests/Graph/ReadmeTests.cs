using System.Diagnostics;
using Aspire.Hosting.Testing;
using Platform.AppHost.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The README's commands, pasted into a shell beside a running stack.</summary>
[Collection(TestCollections.Cache)]
public sealed class ReadmeTests(StackFixture stack)
{
    [Fact]
    public async Task The_commands_run_as_they_are_written()
    {
        Assert.SkipUnless(
            ServerImage.WhyUnavailable() is null && File.Exists(Mongosh), "mongosh and redis-cli come from what ./platform setup makes on Linux.");
        var commands = Commands();
        Assert.Contains(commands, command => command.StartsWith("curl", StringComparison.Ordinal));
        using var checkout = new Checkout();
        await checkout.DescribeAsync(stack);

        // Each command's output between marks; the shell ends at the first that fails.
        var script = string.Join('\n', commands.Select((command, i) => $"{command}\necho '=== {i}'"));
        var sections = (await checkout.RunAsync(script)).Split("=== ");

        Assert.Equal(commands.Count + 1, sections.Length);
        string OutputOf(string part) => sections[commands.FindIndex(command => command.Contains(part, StringComparison.Ordinal))];
        Assert.Contains("\"items\":[{", OutputOf("/tenants"), StringComparison.Ordinal);
        Assert.Contains("Tent", OutputOf("search="), StringComparison.Ordinal);
        Assert.Contains(
            "X-Cache: hit", sections[commands.FindLastIndex(command => command.Contains("X-Cache", StringComparison.Ordinal))], StringComparison.Ordinal);
        Assert.Matches(@"\n[1-9]\d*\n", OutputOf("mongosh"));
        Assert.Matches(@"\n\d+\n", OutputOf("redis-cli"));
    }

    private static string Mongosh => Path.Combine(ServerImage.Cache, "node-tools", "node_modules", ".bin", "mongosh");

    /// <summary>What follows <c>$</c> in the console block with the requests.</summary>
    private static List<string> Commands()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var block = readme.Split("```console\n").Skip(1).Select(rest => rest.Split("```")[0]).Single(text => text.Contains("curl", StringComparison.Ordinal));
        return [.. block.Split('\n').Where(line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(line => line[2..])];
    }

    /// <summary>A directory that looks to <c>./platform</c> like a checkout whose stack is the tests' own.</summary>
    private sealed class Checkout : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("platform-readme-");

        public async Task DescribeAsync(StackFixture stack)
        {
            var run = Directory.CreateDirectory(Path.Combine(_directory.FullName, ".platform", "run"));
            var logs = run.CreateSubdirectory("logs");
            File.CreateSymbolicLink(Path.Combine(_directory.FullName, "artifacts"), Path.Combine(Repository.Root, "artifacts"));
            File.Copy(Path.Combine(Repository.Root, "platform"), Path.Combine(_directory.FullName, "platform"));
            if (File.Exists(Path.Combine(Repository.Root, "PackageProfile.local.props")))
            {
                File.Copy(Path.Combine(Repository.Root, "PackageProfile.local.props"), Path.Combine(_directory.FullName, "PackageProfile.local.props"));
            }

            await File.WriteAllTextAsync(Path.Combine(logs.FullName, "migrator.log"), "The database is up to date.\n");
            await File.WriteAllTextAsync(
                Path.Combine(run.FullName, "encryption"), $"Encryption__MasterKeyFile={Path.Combine(stack.DataDirectory, "encryption", "master.key")}\n");
            var redis = (await stack.App.GetConnectionStringAsync(ResourceNames.Cache))!;
            var authority = Path.Combine(stack.DataDirectory, "tls", "ca.pem");
            await File.WriteAllLinesAsync(
                Path.Combine(run.FullName, "stack"),
                [
                    $"pid={Environment.ProcessId}",
                    "state=ready",
                    $"address.api={stack.App.GetEndpoint(ResourceNames.Api, "http").ToString().TrimEnd('/')}",
                    $"address.mongo={await stack.App.GetConnectionStringAsync(ResourceNames.Database)}",
                    $"address.redis-cli={RedisEntryExtensions.Arguments(redis, File.Exists(authority) ? authority : null)}",
                    $"address.redis-password={RedisEntryExtensions.Password(redis)}",
                ]);

            var tools = _directory.CreateSubdirectory("tools");
            File.CreateSymbolicLink(Path.Combine(tools.FullName, "mongosh"), Mongosh);
            var client = Path.Combine(tools.FullName, "redis-cli");
            await File.WriteAllTextAsync(
                client,
                $"#!/bin/sh\nexec '{ServerImage.Script("in-image")}' '{ServerImage.Directory}' redis TERM "
                    + $"--setenv REDISCLI_AUTH \"$REDISCLI_AUTH\" --ro-bind-try '{stack.DataDirectory}' '{stack.DataDirectory}' -- redis-cli \"$@\"\n");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(client, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        /// <summary>What the commands print; fails when one of them does.</summary>
        public async Task<string> RunAsync(string script)
        {
            var bash = new ProcessStartInfo("bash", ["-eu", "-o", "pipefail", "-c", script])
            {
                WorkingDirectory = _directory.FullName,
                Environment =
                {
                    ["PATH"] = $"{Path.Combine(_directory.FullName, "tools")}:{Environment.GetEnvironmentVariable("PATH")}",
                    [TestStack.Mark] = null,
                },
            };
            return "\n" + (await ProgramResult.OfAsync(bash, TestContext.Current.CancellationToken)).Expect(0).Output;
        }

        public void Dispose() => _directory.Delete(recursive: true);
    }
}
