using Platform;
using Platform.Api;
using Platform.Api.Endpoints;
using Platform.Api.OpenApi;
using Platform.Api.Problems;
using Platform.Mongo.Connections;
using Platform.ServiceDefaults;

return await ServiceProgram.RunAsync(ResourceNames.Api, async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddApi();

    var app = builder.Build();
    app.CheckSettings();
    app.UseFieldEncryption();
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

    var startup = app.Services.GetRequiredService<DatabaseStartup>();
    await app.RunAsync();
    if (startup.Refusal is { } refusal)
    {
        throw refusal;
    }
}, exception => exception is DatabaseRefusedException ? ExitCodes.Configuration : null);
