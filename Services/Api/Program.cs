using Platform.Api;
using Platform.Api.Endpoints;
using Platform.Api.Problems;

var builder = WebApplication.CreateBuilder(args);
builder.AddApi();

var app = builder.Build();
app.UseApi();

var data = app.MapGroup("").AddEndpointFilter<RouteGroupBuilder, DatabaseGate>();
data.MapTenants();
data.MapProducts();
data.MapStores();
data.MapOrders();

app.MapOpenApi();
app.MapDefaultEndpoints();

await app.RunAsync();
