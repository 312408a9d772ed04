using MongoDB.Bson;

namespace Platform.Data.Documents;

/// <summary>A document that belongs to exactly one tenant and is never seen by another.</summary>
public interface ITenantOwned
{
    /// <summary>The document's key, unique over all tenants.</summary>
    ObjectId Id { get; }

    /// <summary>The tenant that owns the document; part of every index and of every query.</summary>
    ObjectId TenantId { get; }
}
