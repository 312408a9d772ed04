namespace Platform.Data.Documents;

/// <summary>What a user may do inside the tenant, from most to least.</summary>
public enum UserRole
{
    /// <summary>Everything, including closing the account.</summary>
    Owner,

    /// <summary>Everything but the account itself.</summary>
    Admin,

    /// <summary>Runs stores: catalogue, stock, orders.</summary>
    Manager,

    /// <summary>Works in a store: stock and orders.</summary>
    Staff,

    /// <summary>Helps customers: reads, and changes orders.</summary>
    Support,

    /// <summary>Reads only.</summary>
    ReadOnly,
}
