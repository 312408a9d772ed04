namespace Platform;

/// <summary>
/// Names of the collections in the platform's database. Those of the platform's own bookkeeping start with an
/// underscore.
/// </summary>
public static class CollectionNames
{
    /// <summary>The customers of the platform.</summary>
    public const string Tenants = "tenants";

    /// <summary>People who work for a tenant.</summary>
    public const string Users = "users";

    /// <summary>Shops.</summary>
    public const string Stores = "stores";

    /// <summary>The trees that products are filed under.</summary>
    public const string Categories = "categories";

    /// <summary>What is sold.</summary>
    public const string Products = "products";

    /// <summary>Stock per product and store.</summary>
    public const string Inventory = "inventory";

    /// <summary>People who buy.</summary>
    public const string Customers = "customers";

    /// <summary>What was bought.</summary>
    public const string Orders = "orders";

    /// <summary>What is sold, line by line, as measurements over time.</summary>
    public const string SaleEvents = "saleEvents";

    /// <summary>How stock changes, as measurements over time.</summary>
    public const string InventoryEvents = "inventoryEvents";

    /// <summary>What was done to the database's structure, one document per migration.</summary>
    public const string Migrations = "_migrations";

    /// <summary>
    /// A view of <see cref="Migrations"/> that shows how far each of them is and nothing else: for who must know that and may not read the history.
    /// </summary>
    public const string MigrationStates = "_migrationStates";

    /// <summary>Indexes that are hidden before they are dropped, one document per index.</summary>
    public const string HiddenIndexes = "_hiddenIndexes";

    /// <summary>Who may work alone right now, one document per kind of work.</summary>
    public const string Leases = "_leases";

    /// <summary>The keys that personal data of each tenant is encrypted with, themselves encrypted; one document per tenant.</summary>
    public const string KeyVault = "_keyVault";

    /// <summary>What the seeder wrote, one document.</summary>
    public const string SeedMarker = "_seed";

    /// <summary>What the database is for, one document.</summary>
    public const string Environment = "_environment";

    /// <summary>Events that were committed and are not in their collections yet, one document per change.</summary>
    public const string Outbox = "_outbox";
}
