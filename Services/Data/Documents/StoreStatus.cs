namespace Platform.Data.Documents;

/// <summary>Whether a store sells.</summary>
public enum StoreStatus
{
    /// <summary>Sells.</summary>
    Open,

    /// <summary>Does not sell.</summary>
    Closed,
}
