using System.CommandLine;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;
using Platform.Api.Callers;
using Platform.Api.Migrations;
using Platform.Api.Paging;
using Platform.Jobs;
using Platform.Migrator;
using Platform.Migrator.Commands;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Platform.Tests.Unit;

/// <summary>What is written down about deployments names commands, options, settings and probes that there are.</summary>
public sealed partial class DeploymentTests
{
    private static readonly string s_manifest = Path.Combine(Repository.Root, "deploy", "kubernetes", "platform.yaml");

    private static readonly Dictionary<string, string[]> s_settings = new()
    {
        ["ConnectionStrings"] = [ResourceNames.Database, ResourceNames.Cache],
        [MigratorOptions.Section] = Names<MigratorOptions>(),
        [MigrationCheckOptions.Section] = Names<MigrationCheckOptions>(),
        [PagingOptions.Section] = Names<PagingOptions>(),
        [ApiOptions.Section] = [.. Names<ApiOptions>(), .. Names<AuthenticationSettings>().Select(name => $"Authentication__{name}")],
        [SettingNames.AllowedHosts] = [""],
    };

    [Fact]
    public void The_containers_of_the_manifest_run_commands_that_there_are()
    {
        var containers = Containers().ToList();
        Assert.Equal(["migrator", "api", "status"], containers.Select(container => Text(container, "name")));
        foreach (var container in containers.Where(container => Text(container, "image").Contains("/platform-migrator:", StringComparison.Ordinal)))
        {
            var words = ((YamlSequenceNode)container["args"]).Select(word => ((YamlScalarNode)word).Value!).ToArray();
            Assert.Null(JobCommandLine.Mistake(MigratorCommands.Create().Parse(words)));
        }

        Assert.All(
            containers.SelectMany(Variables).Select(name => $"{name}__".Split("__", 2)),
            name => Assert.Contains(name[1].TrimEnd('_'), s_settings[name[0]]));
        Assert.Contains("MigrationCheck__CacheDuration", containers.SelectMany(Variables));
    }

    [Fact]
    public void Images_of_a_release_have_one_version_which_its_job_is_named_after()
    {
        var version = Assert.Single(Containers().Select(container => Text(container, "image").Split(':')[1]).Distinct());
        Assert.Contains(Documents(), document => Text((YamlMappingNode)document["metadata"], "name") == $"platform-migrator-{version}");
    }

    [Fact]
    public void Probes_ask_for_paths_that_there_are()
    {
        var api = Containers().Single(container => Text(container, "name") == "api");
        Assert.Equal(ServiceDefaultsExtensions.HealthPath, PathOf("readinessProbe"));
        Assert.Equal(ServiceDefaultsExtensions.AlivePath, PathOf("livenessProbe"));

        string PathOf(string probe) => Text((YamlMappingNode)((YamlMappingNode)api[probe])["httpGet"], "path");
    }

    [Fact]
    public void The_pages_and_the_workflow_run_commands_that_there_are()
    {
        string[] files = ["docs/deployment.md", "docs/migrations.md", ".github/workflows/ci.yml"];
        var lines = files.SelectMany(file => File.ReadLines(Path.Combine(Repository.Root, file))).SelectMany(line => Commands().Matches(line))
            .Select(match => match.Groups["words"].Value.Trim()).ToList();

        Assert.Contains("up --wait", lines);
        Assert.Contains("status --exit-code", lines);
        Assert.All(lines, line => Assert.Null(JobCommandLine.Mistake(MigratorCommands.Create().Parse(Example().Replace(line, "1").Split(' ')))));
    }

    [Fact]
    public void The_workflow_can_be_read_and_upgrades_the_database_of_each_release()
    {
        var workflow = Assert.Single(Read(Path.Combine(Repository.Root, ".github", "workflows", "ci.yml")));
        var steps = ((YamlSequenceNode)((YamlMappingNode)((YamlMappingNode)workflow["jobs"])["mongodb"])["steps"]).Cast<YamlMappingNode>()
            .Where(step => step.Children.ContainsKey("run")).ToDictionary(step => Text(step, "name"), step => Text(step, "run"));

        Assert.Equal("./platform test ReleasedDatabase", steps["Upgrade the databases of all releases"]);
        Assert.Contains("/t:PublishContainer", steps["Publish the migrator and run it"], StringComparison.Ordinal);
        Assert.True(Directory.EnumerateFiles(Path.Combine(Repository.Root, "Tests", "Server", "Migrator", "Released"), "*.json").Any());
    }

    private static string[] Names<TOptions>() => [.. typeof(TOptions).GetProperties().Select(property => property.Name)];

    private static IEnumerable<YamlMappingNode> Documents() => Read(s_manifest);

    private static IEnumerable<YamlMappingNode> Read(string file)
    {
        var yaml = new YamlStream();
        using var reader = new StreamReader(file);
        yaml.Load(reader);
        return yaml.Documents.Select(document => (YamlMappingNode)document.RootNode);
    }

    private static IEnumerable<YamlMappingNode> Containers() => Documents().SelectMany(document => document.AllNodes.OfType<YamlMappingNode>())
        .Where(node => node.Children.TryGetValue("containers", out var containers) && containers is YamlSequenceNode)
        .SelectMany(node => (YamlSequenceNode)node["containers"]).Cast<YamlMappingNode>();

    private static IEnumerable<string> Variables(YamlMappingNode container) =>
        ((YamlSequenceNode)container["env"]).Cast<YamlMappingNode>().Select(variable => Text(variable, "name"));

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;

    // migrator up --wait, platform-migrator:ci up --wait, Platform.Migrator up --json; in backticks, or to the end of the line or its remark.
    [GeneratedRegex(
        @"(?:`migrator|`\./platform migrator|platform-migrator:ci|run: \./platform migrator|Platform\.Migrator) (?<words>[a-z]+(?: [^`#|]*)?)(?=`|#|\||$)")]
    private static partial Regex Commands();

    // What stands for a number.
    [GeneratedRegex(@"\bN\b")]
    private static partial Regex Example();
}
