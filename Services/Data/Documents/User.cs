using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;
using Platform.Data.Encryption;

namespace Platform.Data.Documents;

/// <summary>A person who works for a tenant.</summary>
public sealed record User : ITenantOwned
{
    /// <inheritdoc/>
    public required ObjectId Id { get; init; }

    /// <inheritdoc/>
    public required ObjectId TenantId { get; init; }

    /// <summary>The address the user signs in with, in lower case; unique per tenant.</summary>
    [StringLength(254, MinimumLength = 3), RegularExpression(Patterns.Email, ErrorMessage = Patterns.EmailSentence)]
    [Encrypted(EncryptionKind.Deterministic, IsLowerCase = true)]
    public required string Email { get; init; }

    /// <summary>The name shown to people.</summary>
    [StringLength(200, MinimumLength = 1)]
    public required string DisplayName { get; init; }

    /// <summary>The user's password as <see cref="Security.PasswordHash"/> stores it; null when the user has none. Never leaves the platform.</summary>
    [StringLength(300, MinimumLength = 100)]
    public string? PasswordHash { get; init; }

    /// <summary>What the user may do.</summary>
    public required UserRole Role { get; init; }

    /// <summary>Whether the user may sign in.</summary>
    public required UserStatus Status { get; init; }

    /// <summary>When the user was created (UTC).</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When the document last changed (UTC).</summary>
    public required DateTime UpdatedAt { get; init; }
}
