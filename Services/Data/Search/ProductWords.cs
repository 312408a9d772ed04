namespace Platform.Data.Search;

/// <summary>The words that a product is found by.</summary>
/// <param name="All">The words, each once, in the order of their weight.</param>
/// <param name="OfName">How many of them, from the first, are of the name.</param>
public sealed record ProductWords(IReadOnlyList<string> All, int OfName)
{
    /// <summary>The most words. A name, an SKU and tags have fewer, so that only the end of a long description is left out.</summary>
    public const int Most = 300;

    /// <summary>Collects the words of a product. A document that older programs or people wrote may lack anything, whatever its type says.</summary>
    /// <param name="name">The name.</param>
    /// <param name="sku">The SKU.</param>
    /// <param name="tags">The tags.</param>
    /// <param name="description">The description.</param>
    public static ProductWords Of(string? name, string? sku = null, IEnumerable<string?>? tags = null, string? description = null)
    {
        var ofName = SearchText.Distinct([name ?? ""], Most);
        var others = SearchText.Distinct([sku ?? "", .. (tags ?? []).OfType<string>(), description ?? ""], Most);
        return new([.. ofName.Union(others, StringComparer.Ordinal).Take(Most)], ofName.Count);
    }
}
