using System.ComponentModel.DataAnnotations;

namespace Platform.Data.Documents;

/// <summary>A postal address.</summary>
public sealed record Address
{
    /// <summary>Street and number.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string Street { get; init; }

    /// <summary>City or town.</summary>
    [StringLength(100, MinimumLength = 1)]
    public required string City { get; init; }

    /// <summary>Postal code, as written in the country.</summary>
    [StringLength(20, MinimumLength = 1)]
    public required string PostalCode { get; init; }

    /// <summary>The country, as an ISO 3166-1 alpha-2 code.</summary>
    [RegularExpression(Patterns.Country, ErrorMessage = Patterns.CountrySentence)]
    public required string Country { get; init; }
}
