using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Platform.Api.Contracts;
using Platform.Api.OpenApi;
using Platform.Api.Problems;
using Platform.Api.Stores;
using Platform.Api.Tenants;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants/{tenant}/stores</c>.</summary>
internal static class StoreEndpoints
{
    private const double MaxKm = 20_000;
    private const double DefaultKm = 25;
    private const int MaxStores = 100;

    public static void MapStores(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/tenants/{tenant}/stores/near", FindNearAsync)
            .WithName("FindStoresNear")
            .WithTags("Stores")
            .WithSummary("Finds the open stores near a place, the nearest first, with their distances.")
            .WithMetadata(
                ParameterSchema.Number("lon", -180, 180, required: true),
                ParameterSchema.Number("lat", -90, 90, required: true),
                ParameterSchema.Number("km", 0, MaxKm, absent: DefaultKm))
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Results<Ok<NearStores>, ProblemHttpResult>> FindNearAsync(
        [Description("The tenant's slug.")] string tenant,
        [Description("Longitude in degrees (WGS 84).")] string? lon,
        [Description("Latitude in degrees (WGS 84).")] string? lat,
        [Description("The greatest distance in kilometres.")] string? km,
        ITenantDirectory tenants,
        IStoreFinder stores,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var longitude = errors.Number("lon", lon, -180, 180, absent: null);
        var latitude = errors.Number("lat", lat, -90, 90, absent: null);
        var distance = errors.Number("km", km, 0, MaxKm, DefaultKm);
        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        if (await tenants.FindAsync(tenant, cancellationToken) is not { } owner)
        {
            return TenantProblem.Unknown();
        }

        return TypedResults.Ok(new NearStores(
            await stores.FindNearAsync(owner.Id, longitude, latitude, distance, MaxStores, cancellationToken)));
    }
}
