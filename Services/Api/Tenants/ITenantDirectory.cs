using Platform.Data.Documents;

namespace Platform.Api.Tenants;

/// <summary>The tenants that may use the platform.</summary>
public interface ITenantDirectory
{
    /// <summary>The active tenants, by slug.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<Tenant>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Finds an active tenant; null when there is none of this name.</summary>
    /// <param name="slug">The tenant's name in paths.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<Tenant?> FindAsync(string slug, CancellationToken cancellationToken);
}
