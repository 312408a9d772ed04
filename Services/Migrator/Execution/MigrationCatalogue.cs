using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Platform.Data.Catalogue;

namespace Platform.Migrator.Execution;

/// <summary>Finds the migrations in an assembly.</summary>
public static partial class MigrationCatalogue
{
    /// <summary>What the name of a migration's snapshot has after that of the migration.</summary>
    public const string StructureSuffix = ".structure.json";

    /// <summary>Finds all migrations, in order.</summary>
    /// <param name="assembly">The assembly; holds each migration's source as a resource named <c>NNNN_name.cs</c>, and data that it has beside it as
    /// <c>NNNN_name.json</c>, and the structure that it pins as <c>NNNN_name.structure.json</c>.</param>
    /// <exception cref="InvalidOperationException">A migration has no number, no source of its name, or its number is taken.</exception>
    public static IReadOnlyList<MigrationDescriptor> FindIn(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var found = assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(Migration)) && !type.IsAbstract)
            .Select(type => Describe(assembly, type))
            .OrderBy(descriptor => descriptor.Id)
            .ToList();
        for (var i = 0; i < found.Count; i++)
        {
            if (found[i].Id != i + 1)
            {
                throw new InvalidOperationException($"Migrations are numbered from 1 without gaps or repetitions, but {found[i].FullName} is number {i + 1}.");
            }
        }

        return found;
    }

    private static MigrationDescriptor Describe(Assembly assembly, Type type)
    {
        var attribute = type.GetCustomAttribute<MigrationAttribute>()
            ?? throw new InvalidOperationException($"The migration {type.Name} lacks [Migration(number, name)].");
        var migration = (Migration)Activator.CreateInstance(type, nonPublic: true)!;
        var descriptor = new MigrationDescriptor(attribute.Id, attribute.Name, "", migration) { Replaces = attribute.Replaces };
        var source = Read(assembly, descriptor.FullName + ".cs")
            ?? throw new InvalidOperationException($"The migration {type.Name} must be in the file Migrations/{descriptor.FullName}.cs.");
        descriptor = descriptor with { Checksum = Checksum(source, Read(assembly, descriptor.FullName + ".json")) };
        if (Read(assembly, descriptor.FullName + StructureSuffix) is not { } structure)
        {
            return descriptor;
        }

        return migration.InTransaction
            ? throw new InvalidOperationException(
                $"The migration {descriptor.FullName} runs in a transaction, in which no structure can be changed: put the change of the catalogue into a "
                    + "migration of its own.")
            : descriptor with { Structure = CatalogueSnapshot.Read(structure), StructureChecksum = Checksum(structure) };
    }

    /// <summary>The structure of a database at a version.</summary>
    /// <param name="migrations">All migrations, in order.</param>
    /// <param name="number">The number of the last migration that is applied; 0 for none.</param>
    /// <returns>What that one or the nearest before it pins; empty when none does.</returns>
    internal static IReadOnlyList<CollectionDefinition> StructureAt(IReadOnlyList<MigrationDescriptor> migrations, int number) =>
        migrations.LastOrDefault(migration => migration.Id <= number && migration.Structure is not null)?.Structure ?? [];

    /// <summary>The checksum of a text that is recorded.</summary>
    /// <param name="text">The text, with line ends as git keeps them.</param>
    internal static string Checksum(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    // Where a type is declared is no part of what a migration does, so that code it uses can find another place.
    private static string Checksum(string source, string? data) => Checksum(Imports().Replace(source, "") + data);

    // Line ends depend on how a file was checked out, so they do not count.
    private static string? Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name);
        if (stream is null)
        {
            return null;
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    [GeneratedRegex(@"^using [\w.]+;\n", RegexOptions.Multiline)]
    private static partial Regex Imports();
}
