using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;
using Platform.Data.Encryption;

namespace Platform.Data.Documents;

/// <summary>A person who buys from a tenant.</summary>
public sealed record Customer : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>The customer's e-mail address, in lower case; unique per tenant.</summary>
    [StringLength(254, MinimumLength = 3), RegularExpression(Patterns.Email, ErrorMessage = Patterns.EmailSentence)]
    [Encrypted(EncryptionKind.Deterministic, IsLowerCase = true)]
    public required string Email { get; init; }

    /// <summary>The customer's full name.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>The customer's telephone number, when known.</summary>
    [StringLength(40, MinimumLength = 3)]
    [Encrypted(EncryptionKind.Deterministic)]
    public string? Phone { get; init; }

    /// <summary>Where orders are sent, when known.</summary>
    [Encrypted(EncryptionKind.Random)]
    public Address? Address { get; init; }

    /// <summary>When the customer was created (UTC).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }
}
