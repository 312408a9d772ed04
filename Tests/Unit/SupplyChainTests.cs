using System.Text.RegularExpressions;
using Xunit;

namespace Platform.Tests.Unit;

/// <summary>What others can change under a name that stays the same is named by what it is.</summary>
public sealed partial class SupplyChainTests
{
    [Fact]
    public void Actions_of_workflows_are_pinned_by_commit_and_say_which_version_that_is()
    {
        var uses = Directory.GetFiles(Path.Combine(Repository.Root, ".github", "workflows"))
            .SelectMany(File.ReadLines)
            .Where(line => line.TrimStart(' ', '-').StartsWith("uses:", StringComparison.Ordinal))
            .ToList();

        Assert.NotEmpty(uses);
        Assert.All(uses, line => Assert.Matches(Pinned(), line));
    }

    [Fact]
    public void One_version_of_an_action_is_one_commit()
    {
        var versions = Directory.GetFiles(Path.Combine(Repository.Root, ".github", "workflows"))
            .SelectMany(File.ReadLines)
            .Select(line => Pinned().Match(line))
            .Where(match => match.Success)
            .GroupBy(match => $"{match.Groups["action"]} {match.Groups["version"]}");

        Assert.All(versions, version => Assert.Single(version.Select(match => match.Groups["commit"].Value).Distinct()));
    }

    [Fact]
    public void Every_project_has_a_lock_file_of_the_profile_that_can_have_one()
    {
        var projects = Directory.GetFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
            .Where(
                project => !Path.GetRelativePath(Repository.Root, project).Split(Path.DirectorySeparatorChar).Any(part => part is "artifacts" or ".platform"))
            .ToList();

        Assert.NotEmpty(projects);
        Assert.All(projects, project => Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.offline.lock.json")), project));
    }

    [Theory]
    [InlineData("server-image", "postgresql-18-documentdb", "redis-server")]
    [InlineData("monitoring-image", "prometheus", "prometheus-alertmanager")]
    public void The_packages_of_the_images_are_recorded(string image, params string[] expected)
    {
        var packages = File.ReadLines(Path.Combine(Repository.Root, "Scripts", $"{image}.versions")).Where(line => !line.StartsWith('#')).ToList();

        Assert.All(packages, line => Assert.Matches(@"^[a-z0-9][a-z0-9+.-]+ [0-9][A-Za-z0-9.+:~-]*$", line));
        Assert.All(expected, package => Assert.Contains(packages, line => line.StartsWith($"{package} ", StringComparison.Ordinal)));
        Assert.Equal(packages.Order(StringComparer.Ordinal), packages);
    }

    [GeneratedRegex(@"^\s*-?\s*uses: (?<action>[A-Za-z0-9_./-]+)@(?<commit>[0-9a-f]{40}) # (?<version>v\d+\.\d+\.\d+)$")]
    private static partial Regex Pinned();
}
