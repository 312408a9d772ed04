using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Mongo.Connections;

namespace Platform.Data.Tenancy;

/// <summary>The platform's database. Thread-safe; one per process.</summary>
/// <remarks>Code that serves a tenant goes through <see cref="ForTenant"/>; only jobs use whole collections.</remarks>
public sealed class PlatformDatabase
{
    private static readonly WriteConcern s_journaled = WriteConcern.WMajority.With(journal: true);

    // For who gives up: as long as it takes to tell the server so, which else would hold what the transaction has taken for a minute.
    private static readonly TimeSpan s_parting = TimeSpan.FromSeconds(1);

    /// <summary>Wraps a database.</summary>
    /// <param name="database">The database; its client's settings decide on concerns and time-outs.</param>
    public PlatformDatabase(IMongoDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        DocumentConventions.Register();
        Database = database;
    }

    /// <summary>The underlying database.</summary>
    public IMongoDatabase Database { get; }

    /// <summary>The customers of the platform.</summary>
    public IMongoCollection<Tenant> Tenants => Collection(CollectionCatalogue.Tenants);

    /// <summary>A whole collection, over all tenants.</summary>
    /// <typeparam name="TDocument">The type of its documents.</typeparam>
    /// <param name="definition">The collection's definition in <see cref="CollectionCatalogue"/>.</param>
    public IMongoCollection<TDocument> Collection<TDocument>(CollectionDefinition<TDocument> definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return Database.GetCollection<TDocument>(definition.Name);
    }

    /// <summary>The database as one tenant sees it.</summary>
    /// <param name="tenantId">The tenant; not checked to exist.</param>
    /// <exception cref="ArgumentException">The key is empty.</exception>
    public TenantScope ForTenant(ObjectId tenantId)
    {
        if (tenantId == ObjectId.Empty)
        {
            throw new ArgumentException("A tenant's key cannot be empty.", nameof(tenantId));
        }

        return new TenantScope(Database, tenantId);
    }

    /// <summary>Finds a tenant by the name it has in URLs.</summary>
    /// <param name="slug">The name.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The tenant, or null when there is none.</returns>
    public async Task<Tenant?> FindTenantAsync(string slug, CancellationToken cancellationToken = default) =>
        await Tenants.Find(new BsonDocument("slug", slug), InTime()).FirstOrDefaultAsync(cancellationToken);

    /// <summary>
    /// Runs work in one transaction (snapshot reads, majority writes in the journal) and commits it. When the server reports a passing
    /// conflict the work is run again from its start, for up to two minutes or until cancelled, so it must not change
    /// anything but the database. An exception from the work aborts the transaction and is passed on.
    /// </summary>
    /// <typeparam name="TResult">What the work returns.</typeparam>
    /// <param name="work">The work; it must pass the session to every operation.</param>
    /// <param name="cancellationToken">Cancels the work and aborts the transaction.</param>
    /// <remarks><see href="https://github.com/mongodb/specifications/blob/master/source/transactions-convenient-api/transactions-convenient-api.md"/></remarks>
    public async Task<TResult> TransactAsync<TResult>(
        Func<IClientSessionHandle, CancellationToken, Task<TResult>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        using var session = await Database.Client.StartSessionAsync(cancellationToken: cancellationToken);
        using var parting = new CancellationTokenSource();
        using var given = cancellationToken.UnsafeRegister(static parting => ((CancellationTokenSource)parting!).CancelAfter(s_parting), parting);
        var options = new TransactionOptions(ReadConcern.Snapshot, ReadPreference.Primary, s_journaled, MongoDeadline.Left);
        return await session.WithTransactionAsync((own, _) => work(own, cancellationToken), options, parting.Token);
    }

    /// <summary>Options of a query that the server ends when nobody waits for it any more.</summary>
    public static FindOptions InTime() => new() { MaxTime = MongoDeadline.Left };
}
