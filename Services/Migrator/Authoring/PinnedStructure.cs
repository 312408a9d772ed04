using Platform.Data.Catalogue;
using Platform.Migrator.Execution;

namespace Platform.Migrator.Authoring;

/// <summary>
/// The snapshot of the catalogue beside the latest migration: there when the catalogue is another one than the migrations before it left, so that later
/// programs know what this version's databases look like.
/// </summary>
/// <param name="Migrations">The migrations, the latest with the structure as it is now.</param>
/// <param name="Text">The snapshot; null when the latest migration leaves the structure as it is.</param>
internal sealed record PinnedStructure(IReadOnlyList<MigrationDescriptor> Migrations, string? Text)
{
    /// <summary>The migrations with the snapshot that the latest is to have.</summary>
    /// <param name="migrations">The migrations as they were built.</param>
    /// <param name="catalogue">The catalogue as text.</param>
    public static PinnedStructure Of(IReadOnlyList<MigrationDescriptor> migrations, string catalogue)
    {
        ArgumentNullException.ThrowIfNull(migrations);
        if (migrations.Count == 0)
        {
            return new(migrations, null);
        }

        var latest = migrations[^1];
        var before = CatalogueSnapshot.Write(MigrationCatalogue.StructureAt(migrations, latest.Id - 1));
        var text = before == catalogue ? null : catalogue;
        var pinned = latest with { Structure = null, StructureChecksum = text is null ? null : MigrationCatalogue.Checksum(text) };
        return new([.. migrations.SkipLast(1), text is null ? pinned : pinned with { Structure = CatalogueSnapshot.Read(text) }], text);
    }

    /// <summary>In what way the structure that the shipped migrations end at is not the catalogue; empty when it is.</summary>
    /// <param name="migrations">The migrations as they were built.</param>
    public static IReadOnlyList<string> Problems(IReadOnlyList<MigrationDescriptor> migrations) =>
    [
        .. migrations.Where(migration => migration is { Migration: StructureMigration, Structure: null }).Select(migration =>
            $"Migration {migration.FullName} changes the structure alone, and the catalogue is the same as before it; remove it, or change the catalogue and "
                + "run './platform migrator fingerprint'."),
        .. Of(migrations, CatalogueSnapshot.Write(CollectionCatalogue.All)).Migrations is [.., var latest]
            && latest.StructureChecksum != migrations[^1].StructureChecksum
            ? [$"The structure of migration {latest.FullName} is not that of the catalogue; run './platform migrator fingerprint' to record it."]
            : Array.Empty<string>(),
    ];

    /// <summary>Writes the snapshot, or removes one that says nothing any more.</summary>
    /// <param name="directory">Where migrations are.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task WriteAsync(string directory, CancellationToken cancellationToken)
    {
        if (Migrations.Count == 0)
        {
            return;
        }

        var file = Path.Combine(directory, Migrations[^1].FullName + MigrationCatalogue.StructureSuffix);
        if (Text is null)
        {
            File.Delete(file);
        }
        else
        {
            await File.WriteAllTextAsync(file, Text, cancellationToken);
        }
    }
}
