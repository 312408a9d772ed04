using System.Globalization;
using System.Text.RegularExpressions;

namespace Platform.Migrator.Authoring;

/// <summary>Writes the files of a new migration: its source and its test, both to be filled in.</summary>
internal static partial class MigrationScaffold
{
    /// <summary>Where migrations are, from the repository's root.</summary>
    public const string Migrations = "Services/Migrator/Migrations";

    /// <summary>Where their tests are, from the repository's root.</summary>
    public const string Tests = "Tests/Conformance/Migrator/Migrations";

    /// <summary>The longest name of a migration.</summary>
    public const int MaxNameLength = 60;

    /// <summary>Whether a name is one that a migration can have.</summary>
    public static bool IsName(string name) => name.Length <= MaxNameLength && NamePattern().IsMatch(name);

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

    /// <summary>Writes the two files.</summary>
    /// <param name="root">The repository's root.</param>
    /// <param name="name">The migration's name.</param>
    /// <returns>The files, from the repository's root.</returns>
    /// <exception cref="IOException">A file cannot be written, or there is one already.</exception>
    public static IReadOnlyList<string> Create(string root, string name)
    {
        var directory = Path.Combine(root, Migrations);
        var numbers = Directory.EnumerateFiles(directory, "*.cs")
            .Select(file => FilePattern().Match(Path.GetFileName(file)))
            .Where(match => match.Success)
            .Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        var number = numbers.DefaultIfEmpty(0).Max() + 1;
        var type = string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        var file = string.Create(CultureInfo.InvariantCulture, $"{number:0000}_{name}.cs");
        var written = new List<string>();
        foreach (var (place, text) in new[] { (Migrations, Source(number, name, type)), (Tests, Test(number, type)) })
        {
            Directory.CreateDirectory(Path.Combine(root, place));
            using var stream = new FileStream(Path.Combine(root, place, file), FileMode.CreateNew);
            using var writer = new StreamWriter(stream) { NewLine = "\n" };
            writer.Write(text.ReplaceLineEndings("\n"));
            written.Add($"{place}/{file}");
        }

        return written;
    }

    private static string Source(int number, string name, string type) => $$"""
        using Platform.Migrator.Engine;

        namespace Platform.Migrator.Migrations;

        /// <summary>TODO: what changes, and what programs have to cope with meanwhile.</summary>
        [Migration({{number.ToString(CultureInfo.InvariantCulture)}}, "{{name}}")]
        internal sealed class {{type}} : Migration
        {
            // True when UpAsync and DownAsync do the right thing on data that they left half-done; the test checks it.
            public override bool CanBeRepeated => true;

            // Parts that may take long are steps: context.StepAsync, or context.TransformAsync for the documents of a collection.
            public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) =>
                throw new NotImplementedException("The way up of {{type}} is not written yet.");

            public override Task DownAsync(MigrationContext context, CancellationToken cancellationToken) =>
                throw new NotImplementedException("The way back of {{type}} is not written yet.");
        }

        """;

    private static string Test(int number, string type) => $$"""
        using MongoDB.Driver;
        using Platform.Tests.Conformance.Gateway;
        using Xunit;

        namespace Platform.Tests.Conformance.Migrator.Migrations;

        /// <summary>Up, down, up again, and stopped at every command: see <see cref="MigrationContract"/>.</summary>
        [Collection(GatewayCollection.Name)]
        public sealed class {{type}}Tests(GatewayFixture gateway) : MigrationContract(gateway)
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

    [GeneratedRegex("^([0-9]{4})_.*[.]cs$")]
    private static partial Regex FilePattern();
}
