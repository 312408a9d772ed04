using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;
using MongoDB.Driver.GeoJsonObjectModel;

namespace Platform.Data.Documents;

/// <summary>A shop of a tenant, which holds stock and sells it.</summary>
public sealed record Store : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>The store's short name inside the tenant; unique per tenant.</summary>
    [StringLength(32, MinimumLength = 1)]
    public required string Code { get; init; }

    /// <summary>The name shown to people.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>Where the store is, for letters.</summary>
    public required Address Address { get; init; }

    /// <summary>Where the store is: a GeoJSON point, longitude first, in degrees (WGS 84).</summary>
    /// <remarks><see href="https://www.rfc-editor.org/rfc/rfc7946#section-3.1.2"/></remarks>
    public required GeoJsonPoint<GeoJson2DGeographicCoordinates> Location { get; init; }

    /// <summary>Whether the store sells.</summary>
    public required StoreStatus Status { get; init; }

    /// <summary>When the store was created (UTC).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }
}
