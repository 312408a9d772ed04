namespace Platform.Data.Documents;

/// <summary>The forms that texts of documents have, as regular expressions that PCRE and .NET read alike, and in words.</summary>
/// <remarks>They end with <c>\z</c>, since <c>$</c> would let a line end pass.</remarks>
internal static class Patterns
{
    public const string Currency = @"^[A-Z]{3}\z";
    public const string CurrencySentence = "Must be three capital letters, as in ISO 4217.";

    public const string Country = @"^[A-Z]{2}\z";
    public const string CountrySentence = "Must be two capital letters, as in ISO 3166-1.";

    public const string Slug = @"^[a-z0-9]+(-[a-z0-9]+)*\z";
    public const string SlugSentence = "Must be small letters and digits, in words joined by single hyphens.";

    public const string Email = @"^[^@A-Z\x00-\x20\x7f]+@[^@A-Z\x00-\x20\x7f]+\z";
    public const string EmailSentence = "Must be an e-mail address in small letters.";
}
