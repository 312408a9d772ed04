using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Data.Access;

/// <summary>
/// Who may do what in the database. Everybody has the least that the work takes; nobody here may do what the administrator may, whose password no service
/// knows.
/// </summary>
public static class AccessCatalogue
{
    private static readonly string[] s_read = ["find"];
    private static readonly Grant s_keys = new(
        "It encrypts personal data with the key of the tenant, and makes one for a tenant that has none.", ["find", "insert"], GrantTarget.Collections,
        CollectionNames.KeyVault);

    private static readonly string[] s_domain =
    [
        CollectionNames.Tenants, CollectionNames.Users, CollectionNames.Stores, CollectionNames.Categories, CollectionNames.Products, CollectionNames.Inventory,
        CollectionNames.Customers, CollectionNames.Orders, CollectionNames.SaleEvents, CollectionNames.InventoryEvents,
    ];

    /// <summary>The views through which a principal sees a part of what it may not read, by their names.</summary>
    /// <remarks>Who may read a view needs no right on what it shows: <see href="https://www.mongodb.com/docs/manual/core/views/"/>.</remarks>
    public static IReadOnlyDictionary<string, ViewDefinition> Views { get; } = new Dictionary<string, ViewDefinition>(StringComparer.Ordinal)
    {
        [CollectionNames.MigrationStates] = new(
            CollectionNames.Migrations,
            [new("$project", new BsonDocument { { "number", 1 }, { "state", 1 }, { "isBreaking", 1 } })]),
    };

    /// <summary>The HTTP API.</summary>
    public static Principal Api { get; } = new()
    {
        Name = ResourceNames.Api,
        Purpose = "Answers requests: reads the shop, takes orders and the stock for them, and writes the events that follow.",
        Grants =
        [
            new(
                "What requests ask for.", s_read, GrantTarget.Collections,
                CollectionNames.Tenants, CollectionNames.Stores, CollectionNames.Categories, CollectionNames.Products, CollectionNames.Inventory,
                CollectionNames.Customers, CollectionNames.Orders, CollectionNames.SaleEvents, CollectionNames.InventoryEvents),
            new(
                "Orders and events are added and never changed.", ["insert"], GrantTarget.Collections,
                CollectionNames.Orders, CollectionNames.SaleEvents, CollectionNames.InventoryEvents),
            new("An order takes stock.", ["update"], GrantTarget.Collections, CollectionNames.Inventory),
            new(
                "Events wait in the outbox until they are in their collections.", ["find", "insert", "update", "remove"], GrantTarget.Collections,
                CollectionNames.Outbox),
            new(
                "One instance at a time looks for events that were left behind.", ["find", "insert", "update"], GrantTarget.Collections,
                CollectionNames.Leases),
            new(
                "The caches, and the relay of events, follow what changes, whoever changes it.", ["changeStream", "find"], GrantTarget.Collections,
                CollectionNames.Categories, CollectionNames.Inventory, CollectionNames.Products, CollectionNames.Stores, CollectionNames.Tenants,
                CollectionNames.Outbox),
            s_keys,
            new("The health check knows whether a migration is pending.", s_read, GrantTarget.Collections, CollectionNames.MigrationStates),
            new("The health check tells how far the members are behind.", ["replSetGetStatus"], GrantTarget.Cluster),
        ],
    };

    /// <summary>The migrator.</summary>
    public static Principal Migrator { get; } = new()
    {
        Name = ResourceNames.Migrator,
        Purpose = "Makes and changes the structure of the database, and rewrites its documents. Owns the database, with its users and roles, and nothing "
            + "beyond it.",
        DatabaseRoles = ["dbOwner"],
        ClusterRoles = ["clusterMonitor"],
        Grants =
        [
            new("'access plan' and 'access status' compare users and roles with this catalogue.", ["viewUser", "viewRole"], GrantTarget.Users),
        ],
    };

    /// <summary>The seeder.</summary>
    public static Principal Seeder { get; } = new()
    {
        Name = ResourceNames.Seeder,
        Purpose = "Fills and empties a database for development.",
        Grants =
        [
            new(
                "It writes the documents, checks them, and removes them.", ["find", "insert", "update", "remove"], GrantTarget.Collections,
                [.. s_domain, CollectionNames.Outbox]),
            new(
                "Costly indexes are built after the documents are there.", ["createIndex", "dropIndex", "listIndexes"], GrantTarget.Collections, s_domain),
            new(
                "What it wrote, what the database is for, and who works alone.", ["find", "insert", "update", "remove"], GrantTarget.Collections,
                CollectionNames.SeedMarker, CollectionNames.Environment, CollectionNames.Leases),
            s_keys,
            new("It refuses a database that holds anything else.", ["listCollections"], GrantTarget.Database),
        ],
    };

    /// <summary>The monitor.</summary>
    public static Principal Monitor { get; } = new()
    {
        Name = ResourceNames.Monitor,
        Purpose = "Watches the servers: how they are, what is slow, how large collections are. Reads no document of a tenant.",
        ClusterRoles = ["clusterMonitor"],
        Grants =
        [
            new("It knows whether a migration has failed.", s_read, GrantTarget.Collections, CollectionNames.MigrationStates),
            new("It has slow operations kept where they are not yet.", ["enableProfiler"], GrantTarget.Database),
        ],
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Principal> All { get; } = [Api, Migrator, Seeder, Monitor];
}
