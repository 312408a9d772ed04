using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Authoring;

/// <summary>Writes the files of a new migration: its source and its test, both to be filled in.</summary>
internal static partial class MigrationScaffold
{
    /// <summary>Where migrations are, from the repository's root.</summary>
    public const string Migrations = "Services/Migrator/Migrations";

    /// <summary>Where their tests are, from the repository's root.</summary>
    public const string Tests = "Tests/Server/Migrator/Migrations";

    /// <summary>The longest name of a migration.</summary>
    public const int MaxNameLength = 60;

    // What a class of these names would hide from all migrations: what they import, and what the language gives a meaning.
    private static readonly string[] s_imported =
        [
            "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Threading",
            "System.Threading.Tasks", "MongoDB.Bson", "MongoDB.Driver",
        ];

    private static readonly FrozenSet<string> s_keywords = FrozenSet.Create(
        StringComparer.Ordinal,
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal", "default", "delegate",
        "do",
        "double", "else", "enum", "event", "explicit", "extern", "false", "finally", "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in", "int",
        "interface", "internal", "is", "lock", "long", "namespace", "new", "null", "object", "operator", "out", "override", "params", "private", "protected",
        "public",
        "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc", "static", "string", "struct", "switch", "this", "throw", "true", "try",
        "typeof",
        "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual", "void", "volatile", "while");

    /// <summary>Whether a name is one that a migration can have: words, the first of which begins with a letter, and no word of the language.</summary>
    public static bool IsName(string name) => name.Length <= MaxNameLength && NamePattern().IsMatch(name) && !s_keywords.Contains(name);

    /// <summary>What stands in the way of a migration of this name, in one sentence; null when nothing does.</summary>
    /// <param name="root">The repository's root.</param>
    /// <param name="name">The migration's name.</param>
    public static string? Objection(string root, string name)
    {
        var type = TypeOf(name);
        // Names that differ by case alone would be two classes, and one to people and to some file systems.
        bool IsTaken(string? other) =>
            string.Equals(other, type, StringComparison.OrdinalIgnoreCase) || string.Equals(other, type + "Tests", StringComparison.OrdinalIgnoreCase);
        foreach (var (place, file) in Sources(root, Migrations).Concat(Sources(root, Tests)))
        {
            if (TypePattern().Matches(File.ReadAllText(file)).FirstOrDefault(match => IsTaken(match.Groups[1].Value)) is { } match)
            {
                return $"The migration '{name}' would be the class {type}, and {place}/{Path.GetFileName(file)} has a class {match.Groups[1].Value}; give "
                    + $"it another name.";
            }
        }

        var seen = typeof(Migration).Assembly.GetTypes();
        var taken = seen.FirstOrDefault(known => IsTaken(known.Name))?.FullName
            ?? Imported(type)?.FullName
            ?? seen.SelectMany(known => known.Namespace?.Split('.') ?? []).Concat(s_imported.SelectMany(names => names.Split('.'))).FirstOrDefault(IsTaken)
            ?? typeof(Migration).GetMembers().FirstOrDefault(member => IsTaken(member.Name))?.Name;
        return taken is null
            ? null
            : $"The migration '{name}' would be the class {type}, which hides {taken} from the code of migrations; give it another name.";
    }

    /// <summary>The repository's root: the nearest directory above with the solution; null when there is none.</summary>
    public static string? FindRoot(string directory)
    {
        for (var current = new DirectoryInfo(directory); current is not null; current = current.Parent)
        {
            if (File.Exists(Path.Combine(current.FullName, "Platform.sln")) && Directory.Exists(Path.Combine(current.FullName, Migrations)))
            {
                return current.FullName;
            }
        }

        return null;
    }

    /// <summary>Writes the files.</summary>
    /// <param name="root">The repository's root.</param>
    /// <param name="name">The migration's name.</param>
    /// <param name="structure">The snapshot of the catalogue that the migration brings; null when it is what it was.</param>
    /// <returns>The files, from the repository's root.</returns>
    /// <exception cref="IOException">A file cannot be written, or there is one already; then none is there afterwards that was not before.</exception>
    public static IReadOnlyList<string> Create(string root, string name, string? structure = null)
    {
        var directory = Path.Combine(root, Migrations);
        var numbers = Directory.EnumerateFiles(directory, "*.cs")
            .Select(file => FilePattern().Match(Path.GetFileName(file)))
            .Where(match => match.Success)
            .Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        var number = numbers.DefaultIfEmpty(0).Max() + 1;
        var type = TypeOf(name);
        var file = string.Create(CultureInfo.InvariantCulture, $"{number:0000}_{name}");
        List<(string Place, string File, string Text)> texts =
            [(Migrations, file + ".cs", Source(number, name, type)), (Tests, file + ".cs", Test(number, type))];
        if (structure is not null)
        {
            texts.Add((Migrations, file + MigrationCatalogue.StructureSuffix, structure));
        }

        var written = new List<string>();
        try
        {
            foreach (var (place, title, text) in texts)
            {
                Directory.CreateDirectory(Path.Combine(root, place));
                using var stream = new FileStream(Path.Combine(root, place, title), FileMode.CreateNew);
                written.Add($"{place}/{title}");
                using var writer = new StreamWriter(stream) { NewLine = "\n" };
                writer.Write(text.ReplaceLineEndings("\n"));
            }
        }
        catch
        {
            written.ForEach(half => File.Delete(Path.Combine(root, half)));
            throw;
        }

        return written;
    }

    private static string TypeOf(string name) => string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static IEnumerable<(string Place, string File)> Sources(string root, string place) =>
        Path.Combine(root, place) is var directory && Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory, "*.cs").Select(file => (place, file))
            : [];

    private static Type? Imported(string type) => Assembly.GetExecutingAssembly().GetReferencedAssemblies().Select(Assembly.Load)
        .Append(typeof(object).Assembly).Append(typeof(CollectionNames).Assembly)
        .SelectMany(assembly => s_imported.Append(typeof(CollectionNames).Namespace)
            .Select(space => assembly.GetType($"{space}.{type}", throwOnError: false, ignoreCase: true)))
        .FirstOrDefault(found => found is { IsPublic: true });

    private static string Source(int number, string name, string type) => $$"""
        using Platform.Migrator.Execution;

        namespace Platform.Migrator.Migrations;

        /// <summary>TODO: what changes, and what programs have to cope with meanwhile.</summary>
        [Migration({{number.ToString(CultureInfo.InvariantCulture)}}, "{{name}}")]
        internal sealed class {{type}} : Migration
        {
            // True when UpAsync and DownAsync do the right thing on data that they left half-done; the test checks it.
            public override bool CanBeRepeated => true;

            // Before it come the collections and rules of the structure beside this file, after it the indexes. When the structure is all that changes, derive
            // from StructureMigration and leave out the rest. Parts that may take long are steps: context.StepAsync, or context.TransformAsync for the
            // documents of a collection.
            public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) =>
                throw new NotImplementedException("The way up of {{type}} is not written yet.");

            public override Task DownAsync(MigrationContext context, CancellationToken cancellationToken) =>
                throw new NotImplementedException("The way back of {{type}} is not written yet.");
        }

        """;

    private static string Test(int number, string type) => $$"""
        using MongoDB.Driver;
        using Xunit;

        namespace Platform.Tests.Server.Migrator.Migrations;

        /// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
        public sealed class {{type}}Tests(MongoServer server) : MigrationContract(server)
        {
            protected override int Number => {{number.ToString(CultureInfo.InvariantCulture)}};

            protected override Task SeedAsync(IMongoDatabase database, CancellationToken cancellationToken)
            {
                Assert.Fail("Write data in the form that it has before this migration, with the odd cases that production has.");
                return Task.CompletedTask;
            }

            protected override Task CheckUpAsync(IMongoDatabase database, CancellationToken cancellationToken)
            {
                Assert.Fail("Check what this migration makes of the data.");
                return Task.CompletedTask;
            }
        }

        """;

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\b(?:class|record|struct|interface|enum)\s+(\w+)")]
    private static partial Regex TypePattern();

    [GeneratedRegex("^([0-9]{4})_.*[.]cs$")]
    private static partial Regex FilePattern();
}
