using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Platform.Api.Caching;
using Platform.Api.Callers;
using Platform.Api.Contracts;
using Platform.Api.OpenApi;
using Platform.Api.Problems;
using Platform.Api.Stores;
using Platform.Api.Tenants;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Rules;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants/{tenant}/stores</c>.</summary>
internal static class StoreEndpoints
{
    private const double MaxKm = 20_000;
    private const double DefaultKm = 25;
    private const int MaxStores = 100;

    // Whoever looks for a store may stand wherever a store may.
    private static readonly SchemaNode s_coordinates =
        DocumentRules.Of((Store store) => store.Location).Property("coordinates")!;
    private static readonly (double Min, double Max) s_longitude = Limits(s_coordinates.Tuple[0]);
    private static readonly (double Min, double Max) s_latitude = Limits(s_coordinates.Tuple[1]);

    public static void MapStores(this IEndpointRouteBuilder tenant) =>
        tenant.MapGet("/stores/near", FindNearAsync)
            .WithName("FindStoresNear")
            .WithTags("Stores")
            .WithSummary("Finds the open stores near a place, the nearest first, with their distances.")
            .For(Roles.Reader, Roles.Orders, Roles.Admin)
            .WithMetadata(
                ParameterSchema.Number("lon", s_longitude.Min, s_longitude.Max, required: true),
                ParameterSchema.Number("lat", s_latitude.Min, s_latitude.Max, required: true),
                ParameterSchema.Number("km", 0, MaxKm, absent: DefaultKm));

    private static async Task<Results<CachedOk<NearStores>, ProblemHttpResult>> FindNearAsync(
        [AsParameters] TenantOfPath owner,
        [Description("Longitude in degrees (WGS 84).")] string? lon,
        [Description("Latitude in degrees (WGS 84).")] string? lat,
        [Description("The greatest distance in kilometres.")] string? km,
        IStoreFinder stores,
        DataCaches caches,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var longitude = errors.Number("lon", lon, s_longitude.Min, s_longitude.Max, absent: null);
        var latitude = errors.Number("lat", lat, s_latitude.Min, s_latitude.Max, absent: null);
        var distance = errors.Number("km", km, 0, MaxKm, DefaultKm);
        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        var tenant = owner.Id;
        return new CachedOk<NearStores>(
            await caches[CacheCatalogue.Stores].GetAsync(
                CacheKeys.StoresNear(tenant.ToString(), longitude, latitude, distance),
                async token => CachedJson.Of(new NearStores(await stores.FindNearAsync(tenant, longitude, latitude, distance, MaxStores, token))),
                cancellationToken),
            CacheCatalogue.Stores);
    }

    private static (double Min, double Max) Limits(SchemaNode node) =>
        (node.Minimum!.ToDouble(), node.Maximum!.ToDouble());
}
