using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>A node of a tenant's category tree.</summary>
public sealed record Category : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>The category above, of the same tenant; null at the root.</summary>
    public ObjectId? ParentId { get; init; }

    /// <summary>The category's name in URLs; unique per tenant.</summary>
    [StringLength(100, MinimumLength = 1), RegularExpression(Patterns.Slug, ErrorMessage = Patterns.SlugSentence)]
    public required string Slug { get; init; }

    /// <summary>The name shown to people.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>The place among its siblings, from 0.</summary>
    [Range(0, int.MaxValue)]
    public required int Position { get; init; }

    /// <summary>When the category was created (UTC).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }
}
