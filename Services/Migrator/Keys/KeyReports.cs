namespace Platform.Migrator.Keys;

/// <summary>How personal data is encrypted.</summary>
/// <param name="MasterKey">The name of the master key of this program; null: it has none.</param>
/// <param name="Keys">The tenants' keys.</param>
/// <param name="Fields">What is encrypted of each field.</param>
internal sealed record KeyStatusReport(string? MasterKey, IReadOnlyList<TenantKey> Keys, IReadOnlyList<FieldState> Fields);

/// <summary>A key of a tenant.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Provider">The master key that it is encrypted with.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Updated">When it was encrypted with that master key.</param>
internal sealed record TenantKey(string Name, string Provider, DateTime Created, DateTime Updated);

/// <summary>What is encrypted of a field.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Field">The field.</param>
/// <param name="Plain">In how many documents it is plain.</param>
/// <param name="Encrypted">In how many it is encrypted.</param>
internal sealed record FieldState(string Collection, string Field, long Plain, long Encrypted);

/// <summary>What became of the tenants' keys.</summary>
/// <param name="MasterKey">The name of the master key that all are encrypted with now.</param>
/// <param name="Rotated">How many were encrypted with another one before.</param>
/// <param name="Keys">How many there are.</param>
internal sealed record KeyRotationReport(string MasterKey, long Rotated, long Keys);

/// <summary>A tenant whose key was destroyed.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Fields">What can be read of it no more.</param>
internal sealed record KeyShredReport(string Tenant, IReadOnlyList<FieldState> Fields);

/// <summary>What was encrypted.</summary>
/// <param name="Documents">How many documents.</param>
internal sealed record KeyEncryptReport(long Documents);
