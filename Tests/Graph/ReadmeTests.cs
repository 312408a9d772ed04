using System.Diagnostics;
using System.Text.RegularExpressions;
using Aspire.Hosting.Testing;
using Platform.AppHost.Redis;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The README's commands, pasted into a shell beside a running stack.</summary>
[Collection(TestCollections.Cache)]
public sealed partial class ReadmeTests(StackFixture stack)
{
    /// <summary>What the commands to try print, in their order.</summary>
    private static readonly string[] s_shapes =
    [
        "^$",
        """^\{"items":\[\{.*"aurora-outdoor".*\}$""",
        """^\{"items":\[\{[^{}]*Tent[^{}]*\},""",
        "^(?i:x-cache): (miss|hit)$",
        "^(?i:x-cache): hit$",
        """^\{"items":\[\{.*"distanceKm":[0-9.]+.*\}\]\}$""",
        """^\{"id":"5eedc0de0800000000000000","number":.*"lines":\[\{.*"total":[0-9.]+.*\}$""",
        """^\{"from":"[0-9-]+","to":"[0-9-]+","days":\[.*\]\}$""",
        @"(?m)^[1-9]\d*$",
        @"(?m)^\d+$",
        "The database is up to date",
        @"(?ms)^The database 'platform' is .*\ntotal +[1-9][0-9,]* ",
    ];

    /// <summary>Who executes what this class cannot, because it starts, builds or installs something: a file, and what stands in it.</summary>
    private static readonly Dictionary<string, (string File, string Text)> s_elsewhere = new(StringComparer.Ordinal)
    {
        ["./platform run"] = ("docs/first-hour.md", "$ ./platform run --detach\n"),
        ["./platform stop"] = ("docs/first-hour.md", "$ ./platform stop\n"),
        ["./platform test"] = ("docs/first-hour.md", "$ ./platform test "),
        ["./platform setup"] = ("Tests/Script/run", "p setup; "),
        ["./platform template"] = ("Tests/Graph/TemplateTests.cs", "./platform template "),
        ["dotnet new install"] = ("Tests/Graph/TemplateTests.cs", "dotnet new install "),
        ["dotnet new platform"] = ("Tests/Graph/TemplateTests.cs", "dotnet new platform -n "),
    };

    [Fact]
    public async Task The_commands_to_try_run_as_they_are_written_and_print_what_they_are_to()
    {
        Assert.SkipUnless(
            ServerImage.WhyUnavailable() is null && File.Exists(Mongosh), "mongosh and redis-cli come from what ./platform setup makes on Linux.");
        var commands = Blocks().Single(IsToTry);
        Assert.Equal(s_shapes.Length, commands.Count);
        using var checkout = new Checkout();
        await checkout.DescribeAsync(stack);

        // Each command's output between marks; the shell ends at the first that fails.
        var script = string.Join('\n', commands.Select((command, i) => $"{command}\necho '=== {i}'"));
        var sections = (await checkout.RunAsync(script)).Split("=== ");

        Assert.Equal(commands.Count + 1, sections.Length);
        Assert.All(commands.Select((command, i) => (command, i)), item =>
        {
            // The first line of a section is the number of the one before.
            var printed = sections[item.i].Split('\n', 2)[1].Trim();
            Assert.True(Regex.IsMatch(printed, s_shapes[item.i], RegexOptions.None, TimeSpan.FromSeconds(5)), $"'{item.command}' printed\n{printed}");
        });
    }

    [Fact]
    public async Task Every_other_command_of_the_README_is_executed_here_or_by_a_test_that_is_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "./platform needs bash.");
        var text = await File.ReadAllTextAsync(Readme, TestContext.Current.CancellationToken);
        var commands = Blocks().Where(block => !IsToTry(block)).SelectMany(block => block)
            .Concat(Inline().Matches(text).Select(match => match.Groups[1].Value))
            .Distinct(StringComparer.Ordinal).ToList();
        Assert.Contains("./platform help", commands);
        Assert.True(commands.Count > 5, $"Only {commands.Count} commands were found.");
        using var checkout = new Checkout();
        foreach (var command in commands)
        {
            switch (command)
            {
                case "./platform help":
                    Assert.Matches("(?m)^  run .*\n(.*\n)*  doctor ", await checkout.RunAsync(command));
                    break;
                case "./platform doctor":
                    // 1 says that something is missing, which it names.
                    Assert.Matches(@"(?m)^  ok +\.NET SDK +10\.", await checkout.RunAsync($"{command} || [ $? = 1 ]"));
                    break;
                default:
                    var (file, words) = s_elsewhere.FirstOrDefault(entry => command.StartsWith(entry.Key, StringComparison.Ordinal)).Value;
                    Assert.True(file is not null, $"Nobody executes '{command}'.");
                    var said = await File.ReadAllTextAsync(Path.Combine(Repository.Root, file), TestContext.Current.CancellationToken);
                    Assert.Contains(words, said, StringComparison.Ordinal);
                    break;
            }
        }
    }

    private static string Readme => Path.Combine(Repository.Root, "README.md");

    private static string Mongosh => Path.Combine(ServerImage.Cache, "node-tools", "node_modules", ".bin", "mongosh");

    private static bool IsToTry(List<string> commands) => commands.Exists(command => command.StartsWith("curl", StringComparison.Ordinal));

    /// <summary>What follows <c>$</c> in each console block.</summary>
    private static IEnumerable<List<string>> Blocks() =>
        from rest in File.ReadAllText(Readme).Split("```console\n").Skip(1)
        select rest.Split("```")[0].Split('\n').Where(line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(line => line[2..]).ToList();

    [GeneratedRegex(@"`(\./platform [^`]+)`")]
    private static partial Regex Inline();

    /// <summary>A directory that looks to <c>./platform</c> like a checkout whose stack is the tests' own.</summary>
    private sealed class Checkout : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("platform-readme-");

        public Checkout()
        {
            foreach (var name in (string[])["artifacts", "AppHost", "Scripts", "Tests", "global.json"])
            {
                File.CreateSymbolicLink(Path.Combine(_directory.FullName, name), Path.Combine(Repository.Root, name));
            }

            File.Copy(Path.Combine(Repository.Root, "platform"), Path.Combine(_directory.FullName, "platform"));
        }

        public async Task DescribeAsync(StackFixture stack)
        {
            var run = Directory.CreateDirectory(Path.Combine(_directory.FullName, ".platform", "run"));
            var logs = run.CreateSubdirectory("logs");
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
