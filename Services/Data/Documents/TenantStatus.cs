namespace Platform.Data.Documents;

/// <summary>Whether a tenant may use the platform.</summary>
public enum TenantStatus
{
    /// <summary>In use.</summary>
    Active,

    /// <summary>Kept, but closed to its users.</summary>
    Suspended,
}
