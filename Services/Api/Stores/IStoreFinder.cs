using MongoDB.Bson;
using Platform.Api.Contracts;

namespace Platform.Api.Stores;

/// <summary>Finds a tenant's stores.</summary>
public interface IStoreFinder
{
    /// <summary>The open stores within a distance of a place, the nearest first.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="lon">Longitude in degrees (WGS 84).</param>
    /// <param name="lat">Latitude in degrees (WGS 84).</param>
    /// <param name="km">The distance in kilometres.</param>
    /// <param name="limit">How many stores at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<NearStore>> FindNearAsync(
        ObjectId tenantId, double lon, double lat, double km, int limit, CancellationToken cancellationToken);
}
