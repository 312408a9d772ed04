using System.Collections;
using System.ComponentModel.DataAnnotations;
using Xunit;

namespace Platform.Tests.Unit.Seeder;

/// <summary>The limits that a document type declares by attributes, which become the collection's validator.</summary>
internal static class DeclaredLimits
{
    public static void Check(object document)
    {
        var results = new List<ValidationResult>();
        Assert.True(
            Validator.TryValidateObject(document, new ValidationContext(document), results, validateAllProperties: true),
            $"{document}: {string.Join(" ", results.Select(result => result.ErrorMessage))}");
        foreach (var property in document.GetType().GetProperties())
        {
            var value = property.GetIndexParameters().Length == 0 ? property.GetValue(document) : null;
            foreach (var inner in value is IEnumerable items and not string ? items.OfType<object>() : value is null ? [] : [value])
            {
                if (inner.GetType() is { Namespace: "Platform.Data.Documents", IsEnum: false })
                {
                    Check(inner);
                }
            }
        }
    }
}
