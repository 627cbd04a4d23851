"""Invoices in the admin."""

from django.contrib import admin, messages

from billing.models import Invoice


@admin.register(Invoice)
class InvoiceAdmin(admin.ModelAdmin):
    list_display = ("id", "customer", "issued_at", "amount", "standing")
    actions = ("remind",)

    @admin.display(description="Amount")
    def amount(self, invoice):
        return f"{invoice.total / 100:.2f} EUR"

    @admin.display(description="Standing")
    def standing(self, invoice):
        if invoice.paid_at:
            return "paid"
        return "overdue" if invoice.overdue else "open"

    @admin.action(description="Remind")
    def remind(self, request, invoices):
        reminded = sum(invoice.remind() for invoice in invoices)
        messages.info(request, f"{reminded} reminded.")
