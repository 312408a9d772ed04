using System.Globalization;
using System.Xml.Linq;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Xunit;

namespace Platform.Tests.Unit.Architecture;

/// <summary>The arrows of docs/architecture.md: between projects, and between the folders of each project.</summary>
public sealed class ArchitectureTests
{
    /// <summary>Which projects each one may refer to. Nothing refers to the app host but tests.</summary>
    private static readonly Dictionary<string, string[]> s_allowed = new(StringComparer.Ordinal)
    {
        ["Shared"] = [],
        ["ServiceDefaults"] = ["Shared"],
        ["Services/Mongo"] = ["Shared", "ServiceDefaults"],
        ["Services/Data"] = ["Shared", "Services/Mongo"],
        ["Services/Caching"] = ["Shared", "Services/Mongo"],
        ["Services/AuditTool"] = ["Services/Jobs"],
        ["Services/CacheTool"] = ["Services/Caching", "Services/Jobs"],
        ["Services/SecurityTool"] = ["Shared", "Services/Mongo", "Services/Caching", "Services/Jobs"],
        ["Services/Backup"] = ["ServiceDefaults", "Services/Data", "Services/Jobs"],
        ["Services/Monitor"] = ["ServiceDefaults", "Services/Mongo", "Services/Data", "Services/Caching", "Services/Jobs"],
        ["Services/Jobs"] = ["Shared", "ServiceDefaults", "Services/Mongo"],
        ["Services/Api"] = ["Shared", "ServiceDefaults", "Services/Mongo", "Services/Data", "Services/Caching"],
        ["Services/Migrator"] = ["Shared", "ServiceDefaults", "Services/Mongo", "Services/Data", "Services/Jobs", "Engine/Wire"],
        ["Services/Seeder"] = ["Shared", "ServiceDefaults", "Services/Mongo", "Services/Data", "Services/Jobs"],
        ["Engine/Wire"] = [],
        ["Engine/Gateway"] = ["Shared", "ServiceDefaults", "Engine/Wire"],
        // For AppHosts of others, too: it knows no service.
        ["Hosting"] = ["Shared"],
        // The services only as project metadata, of which the SDK makes resources.
        ["AppHost"] = ["Shared", "Hosting", "Services/Api", "Services/AuditTool", "Services/Backup", "Services/CacheTool", "Services/Migrator",
            "Services/Monitor", "Services/SecurityTool", "Services/Seeder", "Engine/Gateway"],
        ["Offline/Aspire.Hosting.MongoDB"] = [],
        ["Offline/Aspire.MongoDB.Driver"] = [],
    };

    public static TheoryData<string> Products => [.. s_allowed.Keys.Where(IsProduct)];

    [Fact]
    public void Every_project_refers_only_to_those_below_it()
    {
        var references = Projects().Where(project => !project.StartsWith("Tests/", StringComparison.Ordinal))
            .ToDictionary(project => project, References, StringComparer.Ordinal);
        Assert.Equal(s_allowed.Keys.Order(StringComparer.Ordinal), references.Keys.Order(StringComparer.Ordinal));
        Assert.NotEmpty(references.Values.SelectMany(targets => targets));
        Assert.Empty(references.SelectMany(entry => entry.Value.Except(s_allowed[entry.Key]).Select(target => $"{entry.Key} refers to {target}.")));
    }

    [Fact]
    public void The_app_host_sees_of_the_services_only_what_they_are()
    {
        var services = XDocument.Load(Path.Combine(Repository.Root, "AppHost", "AppHost.csproj")).Descendants("ProjectReference")
            .Where(reference => (string?)reference.Attribute("IsAspireProjectResource") != "false").ToList();
        Assert.NotEmpty(services);
        var used = TypesOf("AppHost").SelectMany(type => type.Dependencies)
            .Select(dependency => dependency.Target.FullName)
            .Where(name => Assemblies.Keys.Any(project => project.StartsWith("Services/", StringComparison.Ordinal)
                && name.StartsWith($"Platform.{project["Services/".Length..]}.", StringComparison.Ordinal)));
        Assert.Empty(used);
    }

    [Fact]
    public void The_replica_set_for_other_app_hosts_names_nothing_of_the_platform()
    {
        // Read in the sources: of a constant nothing is left in an assembly but its value.
        string[] names = [nameof(ResourceNames), nameof(CollectionNames), nameof(CacheNames), nameof(MongoNames)];
        var lines = Sources(Path.Combine(Repository.Root, "Hosting")).SelectMany(System.IO.File.ReadLines).ToList();
        Assert.NotEmpty(lines);
        Assert.DoesNotContain(lines, line => names.Any(name => line.Contains(name, StringComparison.Ordinal))
            || line.Split('"').Where((_, part) => part % 2 == 1).Any(text => text.Contains("platform", StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void No_folder_uses_one_that_uses_it(string project)
    {
        var types = TypesOf(project);
        var own = types.ToHashSet();
        var graph = FolderGraph.Of(types.Select(type => (
            type.FullName, Folder(type), type.Dependencies.Select(use => use.Target).Where(own.Contains).Select(target => (target.FullName, Folder(target))))));
        Assert.NotEmpty(graph.Folders);
        Assert.Empty(graph.Cycles());
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Namespaces_are_folders(string project)
    {
        var directory = Path.Combine(Repository.Root, project);
        var root = RootNamespace(project);
        var files = Sources(directory).ToList();
        Assert.NotEmpty(files);
        Assert.Empty(
            from file in files
            let declared = System.IO.File.ReadLines(file)
                .FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))?["namespace ".Length..].TrimEnd(';')
            let folder = Path.GetRelativePath(directory, Path.GetDirectoryName(file)!)
            let expected = folder == "." ? root : $"{root}.{folder.Replace(Path.DirectorySeparatorChar, '.')}"
            // Extensions stand where those whom they extend are looked for, as is the custom.
            where declared is not null && declared != expected && !declared.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
                && !declared.StartsWith("Aspire.Hosting", StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Repository.Root, file)} declares {declared}.");
    }

    [Fact]
    public void No_line_is_longer_than_the_editor_configuration_says()
    {
        const string setting = "max_line_length = ";
        var limit = int.Parse(
            System.IO.File.ReadLines(Path.Combine(Repository.Root, ".editorconfig"))
                .Single(line => line.StartsWith(setting, StringComparison.Ordinal))[setting.Length..],
            CultureInfo.InvariantCulture);
        // The source of a migration that was released does not change any more.
        var released = Path.Combine("Services", "Migrator", "Migrations");
        var files = Sources(Repository.Root).Select(file => Path.GetRelativePath(Repository.Root, file))
            .Where(file => !file.StartsWith(released, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(file => LinesOfCode(file).Where(line => line.Text.Length > limit).Select(line => $"{file}:{line.Number}")));
    }

    /// <summary>The lines of a file but those that show the text of a raw string.</summary>
    private static IEnumerable<(int Number, string Text)> LinesOfCode(string file)
    {
        var (number, raw) = (0, false);
        foreach (var line in System.IO.File.ReadLines(Path.Combine(Repository.Root, file)))
        {
            number++;
            var marks = line.Split("\"\"\"").Length - 1;
            if (!raw && marks == 0)
            {
                yield return (number, line);
            }

            raw ^= marks % 2 == 1;
        }
    }

    private static bool IsProduct(string project) =>
        !project.StartsWith("Offline/", StringComparison.Ordinal);

    private static Dictionary<string, System.Reflection.Assembly> Assemblies { get; } = s_allowed.Keys
        .Where(IsProduct)
        .ToDictionary(project => project, project => System.Reflection.Assembly.Load(AssemblyName(project)), StringComparer.Ordinal);

    private static ArchUnitNET.Domain.Architecture Loaded { get; } = new ArchLoader().LoadAssemblies([.. Assemblies.Values]).Build();

    private static List<IType> TypesOf(string project)
    {
        var name = Assemblies[project].GetName().Name;
        var types = Loaded.Types
            .Where(type => type.Assembly?.Name.Split(',')[0] == name && (Folder(type) + ".").StartsWith("Platform.", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(types);
        return types;
    }

    private static string Folder(IType type) => type.Namespace.FullName;

    private static string AssemblyName(string project) => (string)XDocument.Load(File(project)).Descendants("AssemblyName").Single();

    private static string RootNamespace(string project) => (string)XDocument.Load(File(project)).Descendants("RootNamespace").Single();

    private static string File(string project) => Directory.GetFiles(Path.Combine(Repository.Root, project), "*.csproj").Single();

    private static IEnumerable<string> Projects() => Sources(Repository.Root, "*.csproj")
        .Select(file => Path.GetRelativePath(Repository.Root, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '/'));

    private static List<string> References(string project) =>
    [
        .. XDocument.Load(File(project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFullPath((string)reference.Attribute("Include")!, Path.Combine(Repository.Root, project)))
            .Select(file => Path.GetRelativePath(Repository.Root, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '/')),
    ];

    private static IEnumerable<string> Sources(string directory, string pattern = "*.cs") =>
        Directory.EnumerateFiles(directory, pattern, SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(directory, file)
                .Split(Path.DirectorySeparatorChar)
                .Any(part => part is "artifacts" or "bin" or "obj" or "node_modules"));
}
