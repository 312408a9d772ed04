namespace Platform.Api.Products;

/// <summary>The orders of a list of products. Ties are broken by id.</summary>
public enum ProductOrder
{
    /// <summary>The latest created first.</summary>
    Newest,

    /// <summary>The lowest price first.</summary>
    Cheapest,

    /// <summary>The best match of the words first.</summary>
    BestMatch,
}
