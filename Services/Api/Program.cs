using Platform;
using Platform.Api;
using Platform.Api.Endpoints;
using Platform.Api.OpenApi;
using Platform.Api.Problems;
using Platform.ServiceDefaults;

return await ServiceProgram.RunAsync(ResourceNames.Api, async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddApi();

    var app = builder.Build();
    app.CheckSettings();
    app.UseApi();

    var data = app.MapGroup("").AddEndpointFilter<RouteGroupBuilder, StartupGate>();
    data.MapTenants();
    var tenant = data.MapTenant();
    tenant.MapStores();
    tenant.MapProducts();
    tenant.MapOrders();
    tenant.MapReports();

    app.MapApiDocument();
    app.MapDefaultEndpoints();

    await app.RunAsync();
});
