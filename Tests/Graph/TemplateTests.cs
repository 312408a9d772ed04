using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>What <c>dotnet new</c> makes of this repository: with all parts and with none, built and tested as whoever gets it would.</summary>
[Collection(TestCollections.Alone)]
public sealed partial class TemplateTests(ITestOutputHelper output)
{
    private const string Name = "Contoso.Shop";
    private const string Asked = "PLATFORM_TEST_TEMPLATE";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [Minutes(25)]
    public async Task An_instance_with_all_parts_builds_from_its_lock_files_and_passes_its_unit_tests()
    {
        await using var instance = await Instance.OfAsync("", output);
        Assert.Equal(["backup", "monitoring"], await PartsAsync(instance));
        Assert.True(File.Exists(instance.PathOf("Services/Backup/Backup.csproj")) && File.Exists(instance.PathOf("Services/Monitor/Monitor.csproj")));

        // With CI=true, lock files that do not fit the projects are an error.
        await instance.RunAsync($"CI=true dotnet restore {Name}.sln -v:q");
        await instance.RunAsync("dotnet build Tests/Unit/UnitTests.csproj --no-restore -nodeReuse:false -v:q");
        await instance.TestAsync();
    }

    [Fact]
    [Minutes(25)]
    public async Task An_instance_without_parts_builds_as_a_whole_and_passes_its_unit_tests()
    {
        await using var instance = await Instance.OfAsync("--backup false --monitoring false", output);
        Assert.Empty(await PartsAsync(instance));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(instance.Root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(instance.Root, file)),
            file => Gone().IsMatch(file));
        Assert.DoesNotMatch(@"(?m)^  (backup|alerts|queries) ", await instance.RunAsync("./platform help"));

        await instance.RunAsync($"dotnet restore {Name}.sln -v:q");
        await instance.RunAsync($"dotnet build {Name}.sln --no-restore -nodeReuse:false -v:q");
        await instance.TestAsync();
    }

    /// <summary>The parts that the instance's graph knows.</summary>
    private static async Task<IEnumerable<string>> PartsAsync(Instance instance) =>
        Member().Matches(await File.ReadAllTextAsync(instance.PathOf("AppHost/Settings/Part.cs"), Cancel))
            .Select(match => match.Groups[1].Value.ToLowerInvariant());

    [GeneratedRegex("^    ([A-Z][a-z]+),$", RegexOptions.Multiline)]
    private static partial Regex Member();

    [GeneratedRegex("(^|/)(Services|AppHost|Unit|Gateway|Server)/(Backup|Monitor|Monitoring)/|/(backup|monitoring|alerts)[.]md$")]
    private static partial Regex Gone();

    // Any of the two tokens of the template, and the namespace of this repository.
    [GeneratedRegex(@"Template(Name|Title)0|\b(namespace|using) Platform[.;]|\[part [a-z]+\]|\[end of part\]")]
    private static partial Regex LeftOver();

    /// <summary>A directory that <c>dotnet new</c> made, which is removed in the end.</summary>
    private sealed class Instance : IAsyncDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("platform-template-");
        private readonly ITestOutputHelper _output;

        private Instance(ITestOutputHelper output) => _output = output;

        public string Root => Path.Combine(_directory.FullName, "instance");

        public static async Task<Instance> OfAsync(string parameters, ITestOutputHelper output)
        {
            Assert.SkipUnless(
                Environment.GetEnvironmentVariable(Asked) == "1", $"Two instances are built and tested for some ten minutes when {Asked}=1 asks for it.");
            Assert.SkipUnless(OperatingSystem.IsLinux(), "./platform makes the template with tools of Linux.");
            Assert.SkipUnless(Path.Exists(Path.Combine(Repository.Root, ".git")), "The files of the template are those that git knows.");
            var instance = new Instance(output);
            try
            {
                var (template, hive) = (Path.Combine(instance._directory.FullName, "template"), Path.Combine(instance._directory.FullName, "hive"));
                await instance.RunAsync($"./platform template {template}", Repository.Root);
                await instance.RunAsync($"dotnet new install {template} --debug:custom-hive {hive}", instance._directory.FullName);
                await instance.RunAsync(
                    $"dotnet new platform -n {Name} -o {instance.Root} {parameters} --debug:custom-hive {hive}", instance._directory.FullName);
                var profile = Path.Combine(Repository.Root, "PackageProfile.local.props");
                if (File.Exists(profile))
                {
                    File.Copy(profile, instance.PathOf("PackageProfile.local.props"));
                }

                var files = Directory.GetFiles(instance.Root, "*", SearchOption.AllDirectories);
                Assert.True(files.Length > 1_000, $"The instance has only {files.Length} files.");
                Assert.DoesNotContain(files, file => LeftOver().IsMatch(File.ReadAllText(file)));
                Assert.True(File.Exists(instance.PathOf($"{Name}.sln")));
                return instance;
            }
            catch
            {
                await instance.DisposeAsync();
                throw;
            }
        }

        public string PathOf(string file) => Path.Combine(Root, file);

        /// <summary>The unit tests.</summary>
        public Task<string> TestAsync() => RunAsync($"artifacts/bin/UnitTests/*/{Name}.Tests.Unit -noLogo -noColor");

        /// <summary>What a command prints in the instance; it must end with 0.</summary>
        public async Task<string> RunAsync(string command, string? directory = null)
        {
            var begun = Stopwatch.GetTimestamp();
            var bash = new ProcessStartInfo("bash", ["-eu", "-o", "pipefail", "-c", "exec 2>&1\n" + command])
            {
                WorkingDirectory = directory ?? Root,
                Environment = { [TestStack.Mark] = null, ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1" },
            };
            var result = await ProgramResult.OfAsync(bash, Cancel, TimeSpan.FromMinutes(20));
            _output.WriteLine($"{Stopwatch.GetElapsedTime(begun).TotalSeconds,5:0} s  {command}");
            Assert.True(result.ExitCode == 0, $"It ended with {result.ExitCode}: {command}\n{result.Output}");
            return result.Output;
        }

        public ValueTask DisposeAsync()
        {
            _directory.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
