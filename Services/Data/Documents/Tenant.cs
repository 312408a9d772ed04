using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>A customer of the platform; every other document belongs to one.</summary>
public sealed record Tenant
{
    /// <summary>The tenant's key.</summary>
    public required ObjectId Id { get; init; }

    /// <summary>The tenant's name in URLs; unique.</summary>
    [StringLength(63, MinimumLength = 1), RegularExpression(Patterns.Slug, ErrorMessage = Patterns.SlugSentence)]
    public required string Slug { get; init; }

    /// <summary>The name shown to people.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>The currency of the tenant's prices, as an ISO 4217 code.</summary>
    [RegularExpression(Patterns.Currency, ErrorMessage = Patterns.CurrencySentence)]
    public required string Currency { get; init; }

    /// <summary>Whether the tenant may use the platform.</summary>
    public required TenantStatus Status { get; init; }

    /// <summary>When the tenant was created (UTC).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }
}
