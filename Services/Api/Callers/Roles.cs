namespace Platform.Api.Callers;

/// <summary>What callers may be; the roles that each endpoint lets in stand where it is mapped.</summary>
internal static class Roles
{
    /// <summary>Reads what the tenant has.</summary>
    public const string Reader = "reader";

    /// <summary>Places orders for the tenant, and reads what it takes to do so.</summary>
    public const string Orders = "orders";

    /// <summary>Everything; without a tenant in the token for all of them.</summary>
    public const string Admin = "admin";
}
