namespace Platform.Data.Documents;

/// <summary>Whether a product is sold.</summary>
public enum ProductStatus
{
    /// <summary>Not yet sold.</summary>
    Draft,

    /// <summary>Sold.</summary>
    Active,

    /// <summary>No longer sold; kept for the orders that name it.</summary>
    Archived,
}
