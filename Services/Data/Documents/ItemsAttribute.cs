namespace Platform.Data.Documents;

/// <summary>Declares what is asked of the entries of a list of texts.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemsAttribute : Attribute
{
    /// <summary>The fewest characters of an entry. Default: 0.</summary>
    public int MinimumLength { get; init; }

    /// <summary>The most characters of an entry. Default: no limit.</summary>
    public int MaximumLength { get; init; } = int.MaxValue;

    /// <summary>Whether no entry may stand in the list twice. Default: it may.</summary>
    public bool Unique { get; init; }
}
