namespace Platform.Data.Documents;

/// <summary>Why stock changed.</summary>
public enum InventoryEventKind
{
    /// <summary>An order took it.</summary>
    Sold,

    /// <summary>A delivery brought it.</summary>
    Received,

    /// <summary>A customer gave it back.</summary>
    Returned,

    /// <summary>A count found another number.</summary>
    Counted,
}
