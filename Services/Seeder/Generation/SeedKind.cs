namespace Platform.Seeder.Generation;

/// <summary>The kinds of seeded documents. The numbers are part of the documents' keys and stay as they are.</summary>
internal enum SeedKind : byte
{
    /// <summary>No document: the development passwords.</summary>
    Password = 0,

    Tenant = 1,
    User = 2,
    Store = 3,
    Category = 4,
    Product = 5,
    Inventory = 6,
    Customer = 7,
    Order = 8,
    SaleEvent = 9,
    InventoryEvent = 10,

    /// <summary>No document: which store has which turn among the orders of a tenant.</summary>
    OrderTurn = 255,
}
