using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Platform.Migrator.Execution;

/// <summary>Finds the migrations in an assembly.</summary>
public static partial class MigrationCatalogue
{
    /// <summary>Finds all migrations, in order.</summary>
    /// <param name="assembly">The assembly; holds each migration's source as a resource named <c>NNNN_name.cs</c>, and data that it has beside it as
    /// <c>NNNN_name.json</c>.</param>
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
        return descriptor with { Checksum = Checksum(source, Read(assembly, descriptor.FullName + ".json")) };
    }

    // Where a type is declared is no part of what a migration does, so that code it uses can find another place.
    private static string Checksum(string source, string? data) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Imports().Replace(source, "") + data)));

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
