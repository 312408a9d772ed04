using Platform.Api;
using Platform.Api.Endpoints;

var builder = WebApplication.CreateBuilder(args);
builder.AddApi();

var app = builder.Build();
app.UseApi();

app.MapTenants();
app.MapProducts();
app.MapStores();
app.MapOrders();
app.MapOpenApi();
app.MapDefaultEndpoints();

await app.RunAsync();
