using MongoDB.Driver;
using Platform.Migrator.Structure;

namespace Platform.Migrator.Engine;

/// <summary>What a migration works with.</summary>
/// <param name="database">The database.</param>
/// <param name="catalogue">Creates what the catalogue declares.</param>
public sealed class MigrationContext(IMongoDatabase database, CatalogueSynchroniser catalogue)
{
    /// <summary>The database.</summary>
    public IMongoDatabase Database { get; } = database;

    /// <summary>Creates the collections, validators and indexes of the catalogue that are missing.</summary>
    /// <param name="cancellationToken">Cancels the work.</param>
    public async Task EnsureCatalogueAsync(CancellationToken cancellationToken) => await catalogue.ApplyAsync(allowDrop: false, cancellationToken);
}
